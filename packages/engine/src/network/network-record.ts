// NetworkRecord: what a network is and who is on it, one JSON file per network. The truth of networking: the kernel is made to agree with
// it, after a crash or a reboot too. Everything here is pure.
import { LapError } from "@lapstrake/base";
import { join } from "node:path";
import { damaged } from "../state/read-stored.ts";
import { isTranslated, type FirewallNetwork, type FirewallState, type Pool, type PublishedPort } from "@lapstrake/core";

/** A container on a network. */
export interface EndpointRecord {
  /** 64 hexadecimal digits; owner of its leases and published ports. */
  readonly id: string;
  readonly containerId: string;
  readonly containerName: string;
  readonly aliases: readonly string[];
  /** With prefix length. */
  readonly addresses: readonly string[];
  readonly mac: string;
  readonly hostIfname: string;
  readonly ifname: string;
  readonly ports: readonly PublishedPort[];
}

/** A bridge network. */
export interface NetworkRecord {
  readonly version: 1;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** ISO time. */
  readonly createdAt: string;
  readonly bridge: string;
  readonly internal: boolean;
  /** Shown only: a network of one machine lets containers join by hand anyway. Absent in older records. */
  readonly attachable?: boolean;
  readonly ipv6: boolean;
  readonly masquerade: boolean;
  /** False: members do not reach each other (docker's `enable_icc`). */
  readonly icc: boolean;
  readonly mtu: number | undefined;
  /** Where ports without an address are bound; "" is everywhere, in both families. */
  readonly hostBinding: string;
  readonly pools: readonly Pool[];
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** By container id. */
  readonly endpoints: Readonly<Record<string, EndpointRecord>>;
}

/** The file of a network's record in the store at `root`. */
export function networkFile(root: string, id: string): string {
  return join(root, "networks", `${id}.json`);
}

/** The network that containers are on unless told. It has no names, as docker's has none. */
export const DEFAULT_NETWORK = "bridge";
export const DEFAULT_BRIDGE = "lap0";
/** Names that are not for networks of people. */
export const PREDEFINED: readonly string[] = [DEFAULT_NETWORK, "host", "none", "default"];

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Checks a name given by a person; throws `ERR_LAP_NAME_INVALID` and `ERR_LAP_NETWORK_PREDEFINED` in docker's words. */
export function checkNetworkName(name: string): string {
  if (PREDEFINED.includes(name)) {
    const text = `operation is not permitted on predefined ${name} network`;
    throw new LapError("permissionDenied", "ERR_LAP_NETWORK_PREDEFINED", text);
  }
  if (NAME.test(name)) return name;
  const text = `invalid network name "${name}": must start and end with a letter or digit, only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`;
  throw new LapError("invalidArgument", "ERR_LAP_NAME_INVALID", text);
}

/** A network as the firewall sees it. */
export function firewallNetwork(record: NetworkRecord): FirewallNetwork {
  return { id: record.id, bridge: record.bridge, internal: record.internal, masquerade: record.masquerade };
}

/** What the firewall should hold for some networks. */
export function desiredFirewall(records: readonly NetworkRecord[]): FirewallState {
  return {
    networks: records.map(firewallNetwork),
    ports: publishedOn(records).filter(isTranslated),
  };
}

/** Every published port of some networks. */
export function publishedOn(records: readonly NetworkRecord[]): PublishedPort[] {
  return records.flatMap(({ endpoints }) => Object.values(endpoints).flatMap(({ ports }) => ports));
}

/** The gateways of a network with prefix length. */
export function gatewaysOf(record: NetworkRecord): string[] {
  return record.pools.flatMap(({ gateway, subnet }) =>
    gateway === undefined ? [] : [`${gateway}/${subnet.split("/")[1]}`],
  );
}

/** True when somebody on these networks has names to ask for, or published ports. */
export function needsKeeper(networks: readonly NetworkRecord[]): boolean {
  return networks.some(({ name, endpoints }) => {
    const members = Object.values(endpoints);
    return name === DEFAULT_NETWORK ? members.some(({ ports }) => ports.length > 0) : members.length > 0;
  });
}

/** A record read from a file; throws `ERR_LAP_RECORD_INVALID`. */
export function parseNetworkRecord(text: string, path: string): NetworkRecord {
  let value: NetworkRecord | null;
  try {
    value = JSON.parse(text) as NetworkRecord | null;
  } catch (cause) {
    throw damaged("network record", path, cause);
  }
  if (value?.version === 1 && typeof value.id === "string" && Array.isArray(value.pools)) return value;
  throw damaged("network record", path);
}

/** The lowest free `ethN` of a container. */
export function nextIfname(networks: readonly NetworkRecord[], containerId: string): string {
  const used = new Set(networks.map((network) => network.endpoints[containerId]?.ifname));
  for (let n = 0; ; n++) if (!used.has(`eth${n}`)) return `eth${n}`;
}
