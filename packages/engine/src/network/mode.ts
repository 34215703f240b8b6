// Which network namespace a container has, from what people write after `--network`. Pure and light: every start asks.
import { isRootless } from "../sandbox/rootless.ts";

/** What a container's network namespace is: empty, the machine's, another container's, or its own on networks. */
export type NetworkMode =
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly container: string }
  | { readonly kind: "networks"; readonly network: string };

/** The mode of a container that names none: as docker has it, and without root what needs no devices of the machine. */
function defaultMode(): string {
  return isRootless() ? "none" : "bridge";
}

const CONTAINER = "container:";

/** Reads `none`, `host`, `container:NAME`, `default`, or the name of a network. */
export function networkMode(network: string | undefined): NetworkMode {
  const name = network === undefined || network === "default" ? defaultMode() : network;
  if (name === "none" || name === "host") return { kind: name };
  if (name.startsWith(CONTAINER)) return { kind: "container", container: name.slice(CONTAINER.length) };
  return { kind: "networks", network: name };
}

/** True when a start leaves something of the network behind that the end has to take away. */
export function ownsNetwork(record: { readonly networks?: object }): boolean {
  return record.networks !== undefined;
}
