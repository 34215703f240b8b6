// What a new member of a network gets: addresses, a MAC, names of its devices. Pure but for the random id.
import { randomBytes } from "node:crypto";
import { isLapError, LapError } from "@lapstrake/base";
import { allocate, macOfIp, parseIp, type Lease, type Pool } from "@lapstrake/core";
import { bare, isBridge, withEndpoint, type EndpointRecord, type NetworkRecord } from "./network-record.ts";

/** Who wants to be a member, and as what. */
export interface LeaseRequest {
  readonly containerId: string;
  readonly containerName: string;
  readonly aliases?: readonly string[];
  readonly links?: readonly string[];
  /** Wanted addresses without prefix length, at most one of a family. */
  readonly addresses?: readonly string[];
  readonly mac?: string;
}

/** The record with its new member. */
export interface Leased {
  readonly record: NetworkRecord;
  readonly endpoint: EndpointRecord;
}

/** Makes a member; throws `ERR_LAP_ADDRESS_TAKEN`, `ERR_LAP_SUBNET_FULL` and `ERR_LAP_SUBNET` in docker's words. */
export function leaseEndpoint(record: NetworkRecord, request: LeaseRequest, ifname: string): Leased {
  const id = randomBytes(32).toString("hex");
  const wanted = request.addresses ?? [];
  const lost = wanted.find((address) => !record.pools.some(({ subnet }) => isIpv6(subnet) === isIpv6(address)));
  if (lost !== undefined) throw notConfigured(record, lost);
  const leases = record.pools.map((pool) =>
    leaseFrom(
      record,
      pool,
      id,
      wanted.find((address) => isIpv6(pool.subnet) === isIpv6(address)),
    ),
  );
  const addresses = leases.map(({ withPrefix }) => withPrefix);
  const endpoint: EndpointRecord = {
    id,
    containerId: request.containerId,
    containerName: request.containerName,
    aliases: request.aliases ?? [],
    ...(request.links === undefined ? {} : { links: request.links }),
    addresses,
    mac: macOf(record, request, addresses),
    hostIfname: isBridge(record) ? `veth${id.slice(0, 7)}` : "",
    ifname,
    ports: [],
  };
  return { record: withEndpoint({ ...record, pools: leases.map(({ pool }) => pool) }, endpoint), endpoint };
}

/** It follows from the address; a device on top of its parent's (ipvlan) has none of its own. */
function macOf({ driver }: NetworkRecord, { mac }: LeaseRequest, addresses: readonly string[]): string {
  if (driver !== "ipvlan") return mac ?? macOfIp(parseIp(bare(addresses[0] ?? "0.0.0.0")));
  if (mac === undefined) return "";
  const text = "ipvlan interfaces do not support custom mac address assignment";
  throw new LapError("invalidArgument", "ERR_LAP_NETWORK_CONFLICT", text);
}

function leaseFrom(record: NetworkRecord, pool: Pool, id: string, wanted: string | undefined): Lease {
  try {
    return allocate(pool, id, wanted);
  } catch (error) {
    if (!isLapError(error)) throw error;
    if (error.code === "ERR_LAP_SUBNET" && wanted !== undefined) throw notConfigured(record, wanted);
    const text = WORDS[error.code]?.(record, pool);
    if (text === undefined) throw error;
    throw new LapError(error.kind, error.code, text, { hint: HINTS[error.code] ?? "", cause: error });
  }
}

const WORDS: Readonly<Record<string, (record: NetworkRecord, pool: Pool) => string>> = {
  ERR_LAP_ADDRESS_TAKEN: () => "Address already in use",
  ERR_LAP_SUBNET_FULL: ({ name, id }, { subnet }) =>
    `no available ${isIpv6(subnet) ? "IPv6" : "IPv4"} addresses on this network's address pools: ${name} (${id})`,
};
const HINTS: Readonly<Record<string, string>> = {
  ERR_LAP_ADDRESS_TAKEN: "choose another address, or none",
  ERR_LAP_SUBNET_FULL: "disconnect a container, or make a network with a larger subnet",
};

function notConfigured({ name }: NetworkRecord, address: string): LapError {
  const text = `invalid config for network ${name}: invalid endpoint settings: no configured subnet or ip-range contain the IP address ${address}`;
  return new LapError("invalidArgument", "ERR_LAP_SUBNET", text);
}

function isIpv6(text: string): boolean {
  return text.includes(":");
}
