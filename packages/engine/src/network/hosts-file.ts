// hosts(5) of a container: its own names, what was asked for with `--add-host`, and the names of the machine it runs on. Pure.
import { isIP } from "node:net";
import { LapError } from "@lapstrake/base";

/** What the file is made of. */
export interface HostsFile {
  readonly hostname: string;
  readonly domainname: string | undefined;
  /** The container's own, without prefix length; none is a container without a network. */
  readonly addresses: readonly string[];
  /** `name:address`; the address `host-gateway` is the machine's. */
  readonly extra: readonly string[];
  /** Addresses of the machine as the container reaches it. */
  readonly gateways: readonly string[];
}

const BASE = [
  ["127.0.0.1", "localhost"],
  ["::1", "localhost ip6-localhost ip6-loopback"],
  ["fe00::", "ip6-localnet"],
  ["ff00::", "ip6-mcastprefix"],
  ["ff02::1", "ip6-allnodes"],
  ["ff02::2", "ip6-allrouters"],
] as const;
/** Names of the machine: docker's, and ours. */
export const MACHINE_NAMES: readonly string[] = ["host.docker.internal", "host.lap.internal"];
const HOST_GATEWAY = "host-gateway";
/** A container without a network still finds its own name. */
const OWN_ADDRESS = "127.0.1.1";

/** Splits `name:address` (or `name=address`); throws `ERR_LAP_ADD_HOST` in docker's words. */
export function parseAddHost(text: string): { readonly name: string; readonly address: string } {
  const at = text.search(/[:=]/);
  const name = text.slice(0, at);
  const address = text.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
  if (at <= 0) throw new LapError("invalidArgument", "ERR_LAP_ADD_HOST", `bad format for add-host: "${text}"`);
  if (address === HOST_GATEWAY || isIP(address) !== 0) return { name, address };
  throw new LapError("invalidArgument", "ERR_LAP_ADD_HOST", `invalid IP address in add-host: "${address}"`);
}

/** The text of the file. Throws `ERR_LAP_HOST_GATEWAY` when the machine has no address for a container that asks for it. */
export function formatHosts(hosts: HostsFile): string {
  const names =
    hosts.domainname === undefined ? hosts.hostname : `${hosts.hostname}.${hosts.domainname} ${hosts.hostname}`;
  const extra = hosts.extra.map(parseAddHost);
  const added = extra.flatMap(({ name, address }) =>
    (address === HOST_GATEWAY ? gatewaysFor(name, hosts.gateways) : [address]).map((each) => [each, name]),
  );
  const machine = MACHINE_NAMES.filter((name) => !extra.some((each) => each.name === name)).join(" ");
  const own = hosts.addresses.length === 0 ? [OWN_ADDRESS] : hosts.addresses;
  const lines = [
    ...BASE,
    ...added,
    ...(machine === "" ? [] : hosts.gateways.map((gateway) => [gateway, machine])),
    ...own.map((address) => [address, names]),
  ];
  return lines.map((line) => `${line.join("\t")}\n`).join("");
}

function gatewaysFor(name: string, gateways: readonly string[]): readonly string[] {
  if (gateways.length > 0) return gateways;
  const text = `unable to derive the IP value for host-gateway of "${name}": the container has no network with a gateway`;
  throw new LapError("failedPrecondition", "ERR_LAP_HOST_GATEWAY", text, { hint: "use --network bridge" });
}
