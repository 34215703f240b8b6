// Addresses of networks, handed out from plain state that the caller keeps (under its own lock). Pure; IPv4 and IPv6 alike.
import { LapError } from "@lapstrake/base";
import {
  formatIp,
  formatPrefix,
  integerToIp,
  ipToInteger,
  parseIp,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  prefixRange,
  type Prefix,
} from "./address.ts";

/** One subnet's state: plain JSON. */
export interface Pool {
  /** `172.18.0.0/16`. */
  readonly subnet: string;
  /** The bridge's own address; undefined for a network without one. */
  readonly gateway?: string;
  /** Addresses are handed out from this part of the subnet only: `172.18.5.0/24`. */
  readonly range?: string;
  /** Addresses never handed out, by name (docker's `--aux-address`). */
  readonly reserved?: Readonly<Record<string, string>>;
  /** Address → owner. */
  readonly leases: Readonly<Record<string, string>>;
  /** Where the last search ended: a freed address rests until the subnet has been gone round. */
  readonly last?: string;
}

/** What an allocation gives: the new state to keep, and the address with its prefix length. */
export interface Lease {
  readonly pool: Pool;
  readonly address: string;
  /** `172.18.0.2/16`. */
  readonly withPrefix: string;
}

/** Where the default networks come from: as docker has it, 172.17–31 and sixteen of 192.168; then, where docker gives up, smaller ones. */
export const DEFAULT_POOLS: readonly { readonly base: string; readonly bits: number }[] = [
  ...Array.from({ length: 15 }, (_, i) => ({ base: `172.${17 + i}.0.0/16`, bits: 16 })),
  { base: "192.168.0.0/16", bits: 20 },
  { base: "10.201.0.0/16", bits: 24 },
];

function invalid(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SUBNET", message);
}

function networkOf(prefix: Prefix): Prefix {
  return { address: integerToIp(prefixRange(prefix).first, prefix.address.length), bits: prefix.bits };
}

/** A new pool, checked: the gateway defaults to the subnet's first address; all else must lie inside. Throws `ERR_LAP_SUBNET`. */
export function createPool(spec: Omit<Pool, "leases" | "last">): Pool {
  const subnet = networkOf(parsePrefix(spec.subnet));
  const { first, last } = usable(subnet);
  if (last < first) throw invalid(`subnet "${spec.subnet}" has no room for addresses`);
  const gateway = spec.gateway ?? formatIp(integerToIp(first, subnet.address.length));
  if (spec.range !== undefined && !covers(subnet, parsePrefix(spec.range))) {
    throw invalid(`range "${spec.range}" is not within subnet "${spec.subnet}"`);
  }
  for (const address of [gateway, ...Object.values(spec.reserved ?? {})]) {
    if (!prefixContains(subnet, parseIp(address))) {
      throw invalid(`address "${address}" is not within subnet "${spec.subnet}"`);
    }
  }
  return { ...spec, subnet: formatPrefix(subnet), gateway: formatIp(parseIp(gateway)), leases: {} };
}

function covers(outer: Prefix, inner: Prefix): boolean {
  return inner.bits >= outer.bits && prefixContains(outer, inner.address);
}

/** First and last address a host may have: not the network's own, in IPv4 not the broadcast (a /31 has neither: RFC 3021). */
function usable(prefix: Prefix): { readonly first: bigint; readonly last: bigint } {
  const { first, last } = prefixRange(prefix);
  const ipv4 = prefix.address.length === 4;
  if (ipv4 ? prefix.bits >= 31 : prefix.bits >= 127) return { first, last };
  return { first: first + 1n, last: ipv4 ? last - 1n : last };
}

/** The part of the subnet that addresses are handed out from. */
function searchRange(pool: Pool): { readonly first: bigint; readonly last: bigint } {
  const whole = usable(parsePrefix(pool.subnet));
  if (pool.range === undefined) return whole;
  const part = prefixRange(parsePrefix(pool.range));
  const first = part.first > whole.first ? part.first : whole.first;
  const last = part.last < whole.last ? part.last : whole.last;
  return { first, last };
}

function takenIntegers(pool: Pool): ReadonlySet<bigint> {
  const fixed = pool.gateway === undefined ? [] : [pool.gateway];
  const all = [...fixed, ...Object.values(pool.reserved ?? {}), ...Object.keys(pool.leases)];
  return new Set(all.map((address) => ipToInteger(parseIp(address))));
}

/** The next free address after the last one, round the range once. */
function nextFree(pool: Pool): bigint | undefined {
  const taken = takenIntegers(pool);
  const { first, last } = searchRange(pool);
  const size = last - first + 1n;
  const start = pool.last === undefined ? first : ipToInteger(parseIp(pool.last)) + 1n;
  // Among one more candidates than are taken, one is free.
  const steps = size < BigInt(taken.size + 1) ? size : BigInt(taken.size + 1);
  for (let step = 0n; step < steps; step++) {
    const candidate = first + ((((start - first + step) % size) + size) % size);
    if (!taken.has(candidate)) return candidate;
  }
  return undefined;
}

/** Hands out an address, `wanted` if given; throws `ERR_LAP_ADDRESS_TAKEN`, `ERR_LAP_SUBNET_FULL`, `ERR_LAP_SUBNET`. */
export function allocate(pool: Pool, owner: string, wanted?: string): Lease {
  if (wanted !== undefined) return lease(pool, owner, checkWanted(pool, wanted), pool.last);
  const free = nextFree(pool);
  if (free === undefined) {
    throw new LapError("resourceExhausted", "ERR_LAP_SUBNET_FULL", `no available addresses in subnet "${pool.subnet}"`);
  }
  const address = formatIp(integerToIp(free, parsePrefix(pool.subnet).address.length));
  return lease(pool, owner, address, address);
}

function lease(pool: Pool, owner: string, address: string, last: string | undefined): Lease {
  const next = { ...pool, leases: { ...pool.leases, [address]: owner }, ...(last === undefined ? {} : { last }) };
  return { pool: next, address, withPrefix: `${address}/${parsePrefix(pool.subnet).bits}` };
}

function checkWanted(pool: Pool, wanted: string): string {
  const bytes = parseIp(wanted);
  const subnet = parsePrefix(pool.subnet);
  const value = ipToInteger(bytes);
  const { first, last } = usable(subnet);
  if (bytes.length !== subnet.address.length || value < first || value > last) {
    throw invalid(`address "${wanted}" is not one of subnet "${pool.subnet}"`);
  }
  if (takenIntegers(pool).has(value)) {
    throw new LapError("conflict", "ERR_LAP_ADDRESS_TAKEN", `address "${wanted}" is in use already`);
  }
  return formatIp(bytes);
}

/** Takes back every address of an owner; the same pool when it had none. */
export function release(pool: Pool, owner: string): Pool {
  const kept = Object.entries(pool.leases).filter(([, holder]) => holder !== owner);
  if (kept.length === Object.keys(pool.leases).length) return pool;
  return { ...pool, leases: Object.fromEntries(kept) };
}

function candidates(base: string, bits: number): Prefix[] {
  const prefix = parsePrefix(base);
  const { first } = prefixRange(prefix);
  const length = prefix.address.length;
  const step = 1n << BigInt(length * 8 - bits);
  return Array.from({ length: 2 ** (bits - prefix.bits) }, (_, i) => ({
    address: integerToIp(first + BigInt(i) * step, length),
    bits,
  }));
}

/** The first default subnet that overlaps none of `taken` (subnets of networks, routes of the host). Throws `ERR_LAP_SUBNETS_USED_UP`. */
export function chooseSubnet(taken: readonly string[], pools: typeof DEFAULT_POOLS = DEFAULT_POOLS): string {
  const used = taken.map(parsePrefix).filter(({ bits }) => bits > 0);
  for (const { base, bits } of pools) {
    const free = candidates(base, bits).find((prefix) => !used.some((other) => prefixesOverlap(prefix, other)));
    if (free !== undefined) return formatPrefix(free);
  }
  throw new LapError(
    "resourceExhausted",
    "ERR_LAP_SUBNETS_USED_UP",
    "all predefined address pools have been fully subnetted",
    {
      hint: "remove unused networks, or name a subnet",
    },
  );
}

/** A /64 of unique local addresses (RFC 4193) that follows from 16 hexadecimal digits or more of an id. */
export function localIpv6Subnet(id: string): string {
  const digits = id.replaceAll(/[^0-9a-f]/gi, "").padEnd(14, "0");
  const [a, b, c, d] = [digits.slice(0, 2), digits.slice(2, 6), digits.slice(6, 10), digits.slice(10, 14)];
  return formatPrefix(networkOf(parsePrefix(`fd${a}:${b}:${c}:${d}::/64`)));
}
