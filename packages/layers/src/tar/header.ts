// One 512-byte tar header: v7, ustar, GNU and star layouts (POSIX pax "ustar Interchange Format", GNU tar manual "Basic Tar Format").
import type { ByteString } from "@lapstrake/base";
import { tarError } from "./errors.ts";
import { latin1 } from "./latin1.ts";
import { readNumber } from "./numbers.ts";

export const BLOCK = 512;

/** Fields of a header as they stand. */
export interface RawHeader {
  readonly name: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** typeflag as a character. */
  readonly flag: string;
  readonly linkname: ByteString;
  readonly major: number;
  readonly minor: number;
}

/** True when all 512 bytes are zero. */
export function isZeroBlock(block: Uint8Array, at: number): boolean {
  for (let i = at; i < at + BLOCK; i++) if (block[i] !== 0) return false;
  return true;
}

/** True when the checksum field fits: unsigned sum, or the signed one of old writers. */
export function checksumFits(block: Uint8Array, at: number): boolean {
  const stored = storedChecksum(block, at);
  let sum = 8 * 32;
  for (let i = at; i < at + 148; i++) sum += block[i]!;
  for (let i = at + 156; i < at + BLOCK; i++) sum += block[i]!;
  return stored === sum || stored === sum - 256 * highBytes(block, at);
}

/** Bytes with the first bit set, outside the checksum field. */
function highBytes(block: Uint8Array, at: number): number {
  let high = 0;
  for (let i = at; i < at + BLOCK; i++) if (i < at + 148 || i >= at + 156) high += block[i]! >> 7;
  return high;
}

function storedChecksum(block: Uint8Array, at: number): number {
  let value = 0;
  let digits = 0;
  for (let i = at + 148; i < at + 156; i++) {
    const byte = block[i]!;
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + byte - 0x30;
      digits++;
    } else if (digits > 0) break;
    else if (byte !== 0x20 && byte !== 0) return -1;
  }
  return digits > 0 ? value : -1;
}

/** Decodes the header at `at`, whose checksum was checked. */
export function decodeHeader(block: Uint8Array, at: number): RawHeader {
  const ustar = isMagic(block, at + 257, "ustar\0");
  const flag = String.fromCharCode(block[at + 156]!);
  const device = flag === "3" || flag === "4";
  return {
    name: ustar ? prefixed(block, at) : text(block, at, 100),
    mode: readNumber(block, at + 100, 8, "mode") & 0o7777,
    uid: readNumber(block, at + 108, 8, "uid"),
    gid: readNumber(block, at + 116, 8, "gid"),
    size: readNumber(block, at + 124, 12, "size"),
    mtime: readNumber(block, at + 136, 12, "mtime"),
    flag,
    linkname: text(block, at + 157, 100),
    major: device ? readNumber(block, at + 329, 8, "device major") : 0,
    minor: device ? readNumber(block, at + 337, 8, "device minor") : 0,
  };
}

function prefixed(block: Uint8Array, at: number): ByteString {
  const name = text(block, at, 100);
  const prefix = text(block, at + 345, isMagic(block, at + 508, "tar\0") ? 131 : 155);
  return prefix === "" ? name : `${prefix}/${name}`;
}

function isMagic(block: Uint8Array, at: number, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (block[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}

/** Bytes up to a NUL. */
function text(block: Uint8Array, at: number, length: number): ByteString {
  let end = at;
  while (end < at + length && block[end] !== 0) end++;
  return latin1(block, at, end);
}

/** Name in a GNU 'L' or 'K' member: bytes up to the first NUL. */
export function longName(bytes: Uint8Array): ByteString {
  const end = bytes.indexOf(0);
  const name = latin1(bytes, 0, end < 0 ? bytes.length : end);
  if (name === "") throw tarError("a long name is empty");
  return name;
}
