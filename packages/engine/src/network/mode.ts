// Which network namespace a container has, from what people write after `--network`. Pure and light: every start asks.
import { hasManyIds, isRootless } from "../sandbox/rootless.ts";
import { namedTool, usableTool, type UserTool } from "./user-tool.ts";

/** What a container's network namespace is: empty, the machine's, another container's, its own with a user's process as way out, or its own on networks. */
export type NetworkMode =
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly container: string }
  | { readonly kind: "user"; readonly tool: UserTool }
  | { readonly kind: "networks"; readonly network: string };

/** The mode of a container that names none: as docker has it, and without root what needs no devices of the machine. */
function defaultMode(): string {
  if (!isRootless()) return "bridge";
  return toolHere() ?? "none";
}

/** What carries a network here. A process with one id hides its namespaces, also from whom it belongs to. */
function toolHere(): UserTool | undefined {
  return hasManyIds() ? usableTool() : undefined;
}

const CONTAINER = "container:";

/** Reads `none`, `host`, `container:NAME`, `default`, or the name of a network. */
export function networkMode(network: string | undefined): NetworkMode {
  const name = network === undefined || network === "default" ? defaultMode() : network;
  if (name === "none" || name === "host") return { kind: name };
  if (name.startsWith(CONTAINER)) return { kind: "container", container: name.slice(CONTAINER.length) };
  const tool = namedTool(name) ?? (name === "bridge" && isRootless() ? toolHere() : undefined);
  if (tool !== undefined && isRootless()) return { kind: "user", tool };
  return { kind: "networks", network: name };
}

/** True for a container that was made to have a process of the user as its way out. */
export function isOnUserNetwork({ request }: { readonly request: { readonly network?: string } }): boolean {
  return request.network !== undefined && networkMode(request.network).kind === "user";
}

/** True when a start leaves something of the network behind that the end has to take away. */
export function ownsNetwork(record: { readonly networks?: object }): boolean {
  return record.networks !== undefined;
}
