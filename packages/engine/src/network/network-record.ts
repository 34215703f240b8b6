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
  /** `db:database`: names that only this container knows. Absent in older records. */
  readonly links?: readonly string[];
  /** With prefix length. */
  readonly addresses: readonly string[];
  readonly mac: string;
  readonly hostIfname: string;
  readonly ifname: string;
  readonly ports: readonly PublishedPort[];
}

/** What a network is made of: a bridge of ours, or devices on top of one of the machine's. */
export type NetworkDriver = "bridge" | "macvlan" | "ipvlan";

/** A network. */
export interface NetworkRecord {
  readonly version: 1;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** ISO time. */
  readonly createdAt: string;
  /** Absent: a bridge. */
  readonly driver?: NetworkDriver;
  /** Name of the bridge; "" where there is none. */
  readonly bridge: string;
  /** The machine's device beneath, where there is no bridge. */
  readonly parent?: string;
  readonly mode?: MacvlanMode;
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
  /** What the names of devices inside begin with; default `eth`. */
  readonly ifnamePrefix?: string;
  /** True: the gateway is somebody else's address, not the bridge's. */
  readonly inhibitIpv4?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** By container id. */
  readonly endpoints: Readonly<Record<string, EndpointRecord>>;
}

/** How macvlan devices of one parent see each other. */
export type MacvlanMode = "private" | "vepa" | "bridge" | "passthru";

/** True for a network that has a bridge of ours, and so the firewall's attention. */
export function isBridge({ driver = "bridge" }: Pick<NetworkRecord, "driver">): boolean {
  return driver === "bridge";
}

/** True when ports of its members can be published: it leads out, through the machine. */
export function isPublishing(record: NetworkRecord): boolean {
  return isBridge(record) && !record.internal;
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
/** What a host name may have at most: RFC 1035. */
const MAX_NAME = 253;

/** Checks a name given by a person; throws `ERR_LAP_NAME_INVALID` and `ERR_LAP_NETWORK_PREDEFINED` in docker's words. */
export function checkNetworkName(name: string): string {
  if (PREDEFINED.includes(name)) {
    const text = `operation is not permitted on predefined ${name} network`;
    throw new LapError("permissionDenied", "ERR_LAP_NETWORK_PREDEFINED", text);
  }
  if (name.length > MAX_NAME) {
    const text = `invalid network name "${name.slice(0, 32)}…": it has more than ${MAX_NAME} characters`;
    throw new LapError("invalidArgument", "ERR_LAP_NAME_INVALID", text);
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
    networks: records.filter(isBridge).map(firewallNetwork),
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

/** The machine's own addresses on a network with prefix length: where its members reach it. */
export function machineAddressesOf(record: NetworkRecord): string[] {
  if (!isBridge(record)) return [];
  return gatewaysOf(record).filter((gateway) => record.inhibitIpv4 !== true || gateway.includes(":"));
}

/** True when somebody on these networks has names to ask for, or published ports; `asks`: on the default one too. */
export function needsKeeper(networks: readonly NetworkRecord[], asks: boolean): boolean {
  return networks.some(({ name, endpoints }) => {
    const members = Object.values(endpoints);
    return name === DEFAULT_NETWORK && !asks ? members.some(({ ports }) => ports.length > 0) : members.length > 0;
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

/** The lowest free name of a device in a container: `eth0`, or with the network's own prefix. */
export function nextIfname(networks: readonly NetworkRecord[], containerId: string, prefix = "eth"): string {
  const used = new Set(networks.map((network) => network.endpoints[containerId]?.ifname));
  for (let n = 0; ; n++) if (!used.has(`${prefix}${n}`)) return `${prefix}${n}`;
}

/** An address without its prefix length. */
export function bare(address: string): string {
  return address.split("/")[0]!;
}

/** The record with a member as it is now. */
export function withEndpoint(record: NetworkRecord, endpoint: EndpointRecord): NetworkRecord {
  return { ...record, endpoints: { ...record.endpoints, [endpoint.containerId]: endpoint } };
}
