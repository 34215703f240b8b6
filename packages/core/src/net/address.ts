// IP addresses, prefixes and MAC addresses as bytes: RFC 4291 (text forms of IPv6), RFC 5952 (the form we print). Pure.
import { LapError } from "@lapstrake/base";

/** 4 or 16 bytes in network order. */
export type IpBytes = Uint8Array;

/** An address with its prefix length: `10.0.0.1/24`. */
export interface Prefix {
  readonly address: IpBytes;
  /** 0–32 or 0–128. */
  readonly bits: number;
}

const DECIMAL = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const MAC_PART = /^[0-9a-f]{2}$/i;

function invalid(what: string, text: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_ADDRESS", `invalid ${what} "${text}"`);
}

function parseIpv4(text: string): IpBytes | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => DECIMAL.test(part) && Number(part) < 256)) return undefined;
  return Uint8Array.from(parts, Number);
}

/** The 16-bit groups of one side of `::`; a dotted quad may end the last one. */
function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === "") return [];
  const out: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const quad = isLast && part.includes(".") && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (quad !== undefined) out.push((quad[0]! << 8) | quad[1]!, (quad[2]! << 8) | quad[3]!);
    else if (GROUP.test(part)) out.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return out;
}

function parseIpv6(text: string): IpBytes | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const head = parseGroups(sides[0]!, sides.length === 1);
  const tail = sides.length === 2 ? parseGroups(sides[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (sides.length === 2 ? gap < 1 : gap !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: gap }, () => 0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Bytes of an IPv4 or IPv6 address without zone; throws `ERR_LAP_ADDRESS`. */
export function parseIp(text: string): IpBytes {
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  if (bytes === undefined) throw invalid("IP address", text);
  return bytes;
}

/** The longest run of at least two zero groups, as [start, length]. */
function longestZeros(groups: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [-1, 1];
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best[1]) best = [start, length];
  }
  return best;
}

/** Canonical text of an address (RFC 5952 for IPv6). */
export function formatIp(bytes: IpBytes): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  const [start, length] = longestZeros(groups);
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}

/** `address/bits`; a bare address is a host prefix. Throws `ERR_LAP_ADDRESS`. */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf("/");
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  const max = address.length * 8;
  const length = slash < 0 ? String(max) : text.slice(slash + 1);
  if (!DECIMAL.test(length) || Number(length) > max) throw invalid("prefix", text);
  return { address, bits: Number(length) };
}

/** `address/bits` in canonical text. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatIp(prefix.address)}/${prefix.bits}`;
}

/** The address as an integer. */
export function ipToInteger(bytes: IpBytes): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** The address of an integer; `length` is 4 or 16. */
export function integerToIp(value: bigint, length: number): IpBytes {
  const out = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 0xffn);
  return out;
}

/** First and last address of a prefix, as integers. */
export function prefixRange({ address, bits }: Prefix): { readonly first: bigint; readonly last: bigint } {
  const host = (1n << BigInt(address.length * 8 - bits)) - 1n;
  const value = ipToInteger(address);
  return { first: value & ~host, last: value | host };
}

/** True when `address` lies within `prefix` (and is of its family). */
export function prefixContains(prefix: Prefix, address: IpBytes): boolean {
  if (prefix.address.length !== address.length) return false;
  const { first, last } = prefixRange(prefix);
  const value = ipToInteger(address);
  return value >= first && value <= last;
}

/** True when two prefixes of one family share an address. */
export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  if (a.address.length !== b.address.length) return false;
  const [x, y] = [prefixRange(a), prefixRange(b)];
  return x.first <= y.last && y.first <= x.last;
}

/** Six bytes of `02:42:ac:11:00:02`; throws `ERR_LAP_ADDRESS`. */
export function parseMac(text: string): Uint8Array {
  const parts = text.split(/[:-]/);
  if (parts.length !== 6 || !parts.every((part) => MAC_PART.test(part))) throw invalid("MAC address", text);
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}

/** Lower-case text of a MAC address. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** A locally administered MAC that follows from an IPv4 address, so a reused address never meets a stale neighbour entry. */
export function macOfIp(address: IpBytes): string {
  return formatMac(Uint8Array.of(0x02, 0x42, ...address.subarray(address.length - 4)));
}
