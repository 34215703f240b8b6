// Netlink attributes: type-length-value, nested, padded to four bytes (netlink(7), linux/netlink.h). Pure.
// Numbers are in host order, which is little-endian on both architectures we run on, unless the name says "be".
import { LapError } from "@lapstrake/base";

/** One attribute to send: bytes, or attributes nested in it. */
export interface Attr {
  readonly type: number;
  readonly value: Uint8Array | readonly Attr[];
}

/** Attributes as received: type (without flag bits) and raw value, in order. */
export interface RawAttr {
  readonly type: number;
  readonly value: Uint8Array;
}

const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const HEADER = 4;
const MAX_ATTR = 0xffff;

/** Rounds up to the alignment of netlink. */
export function align(length: number): number {
  return (length + 3) & ~3;
}

function number(bytes: number, set: (view: DataView) => void): Uint8Array {
  const out = new Uint8Array(bytes);
  set(new DataView(out.buffer));
  return out;
}

/** A byte. */
export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}
/** A 16-bit number in host order. */
export function u16(value: number): Uint8Array {
  return number(2, (view) => view.setUint16(0, value, true));
}
/** A 16-bit number in network order (ports). */
export function u16be(value: number): Uint8Array {
  return number(2, (view) => view.setUint16(0, value));
}
/** A 32-bit number in host order; negative ones as two's complement. */
export function u32(value: number): Uint8Array {
  return number(4, (view) => view.setUint32(0, value >>> 0, true));
}
/** A 32-bit number in network order; negative ones as two's complement (nftables). */
export function u32be(value: number): Uint8Array {
  return number(4, (view) => view.setUint32(0, value >>> 0));
}
/** UTF-8 text with its terminating NUL. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

/** Several byte strings as one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Bytes that a list of attributes takes, padding included. */
export function attrsLength(attrs: readonly Attr[]): number {
  return attrs.reduce((sum, attr) => sum + align(HEADER + valueLength(attr)), 0);
}

function valueLength({ value }: Attr): number {
  return value instanceof Uint8Array ? value.length : attrsLength(value);
}

function write(out: Uint8Array, view: DataView, at: number, attr: Attr): number {
  const nested = !(attr.value instanceof Uint8Array);
  const length = HEADER + valueLength(attr);
  if (length > MAX_ATTR) {
    throw new LapError("invalidArgument", "ERR_LAP_NETLINK_SIZE", `netlink attribute ${attr.type} has ${length} bytes`);
  }
  view.setUint16(at, length, true);
  view.setUint16(at + 2, nested ? attr.type | NLA_F_NESTED : attr.type, true);
  if (attr.value instanceof Uint8Array) out.set(attr.value, at + HEADER);
  else {
    let inner = at + HEADER;
    for (const child of attr.value) inner = write(out, view, inner, child);
  }
  return at + align(length);
}

/** The bytes of a list of attributes. */
export function encodeAttrs(attrs: readonly Attr[]): Uint8Array {
  const out = new Uint8Array(attrsLength(attrs));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const attr of attrs) at = write(out, view, at, attr);
  return out;
}

/** The attributes in `bytes`, one level; the kernel wrote them, so a bad length throws rather than guesses. */
export function decodeAttrs(bytes: Uint8Array): RawAttr[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: RawAttr[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < HEADER || at + length > bytes.length) {
      throw new LapError("internal", "ERR_LAP_NETLINK_REPLY", `netlink attribute of ${length} bytes at ${at}`);
    }
    out.push({ type: view.getUint16(at + 2, true) & NLA_TYPE_MASK, value: bytes.subarray(at + HEADER, at + length) });
    at += align(length);
  }
  return out;
}

/** Attributes by type; the last of a type counts. */
export function attrMap(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  return new Map(decodeAttrs(bytes).map(({ type, value }) => [type, value]));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads what {@link u16} writes. */
export function readU16(bytes: Uint8Array, at = 0): number {
  return viewOf(bytes).getUint16(at, true);
}
/** Reads what {@link u16be} writes. */
export function readU16be(bytes: Uint8Array, at = 0): number {
  return viewOf(bytes).getUint16(at);
}
/** Reads what {@link u32} writes. */
export function readU32(bytes: Uint8Array, at = 0): number {
  return viewOf(bytes).getUint32(at, true);
}
/** Reads a signed 32-bit number in host order. */
export function readI32(bytes: Uint8Array, at = 0): number {
  return viewOf(bytes).getInt32(at, true);
}
/** Reads what {@link u32be} writes. */
export function readU32be(bytes: Uint8Array, at = 0): number {
  return viewOf(bytes).getUint32(at);
}
/** A 64-bit number in network order (nftables handles). */
export function readU64be(bytes: Uint8Array, at = 0): bigint {
  return viewOf(bytes).getBigUint64(at);
}
/** Text up to the first NUL. */
export function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
