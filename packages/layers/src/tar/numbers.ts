// Numeric fields of tar headers: octal text, GNU base-256 (also negative), and the decimal times of PAX.
import type { Timespec } from "@lapstrake/base";
import { tarError } from "./errors.ts";

const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/** A numeric field: octal digits between blanks, or base-256 when the first bit is set. Throws `ERR_LAP_TAR_INVALID`. */
export function readNumber(block: Uint8Array, at: number, length: number, field: string): number {
  const first = block[at]!;
  if ((first & 0x80) !== 0) return readBase256(block, at, length, field);
  let value = 0;
  let i = at;
  const end = at + length;
  while (i < end && (block[i] === SPACE || block[i] === 0)) i++;
  for (; i < end && block[i] !== SPACE && block[i] !== 0; i++) {
    const byte = block[i]!;
    if (byte < ZERO || byte > SEVEN) throw tarError(`${field} is not a number`);
    value = value * 8 + (byte - ZERO);
  }
  return value;
}

function readBase256(block: Uint8Array, at: number, length: number, field: string): number {
  const negative = (block[at]! & 0x40) !== 0;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const byte = i === 0 ? block[at]! & 0x7f : block[at + i]!;
    // Two's complement of 7 + 8·(length-1) bits: negative values are counted down from -1.
    const digit = negative ? (i === 0 ? 0x7f - byte : 0xff - byte) : byte;
    value = value * 256 + digit;
  }
  if (!Number.isSafeInteger(value)) throw tarError(`${field} is too large`);
  return negative ? -value - 1 : value;
}

const DECIMAL = /^(-?)(\d{1,15})(?:\.(\d*))?$/;

/** A PAX time, "-1.5" is 1969-12-31T23:59:58.5Z. Digits after the ninth are dropped. */
export function parsePaxTime(text: string): Timespec {
  const match = DECIMAL.exec(text);
  if (match === null) throw tarError("a PAX time is not a number");
  const sec = Number(match[2]);
  const nsec = Number((match[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (match[1] !== "-") return { sec, nsec };
  return nsec === 0 ? { sec: sec === 0 ? 0 : -sec, nsec: 0 } : { sec: -sec - 1, nsec: 1_000_000_000 - nsec };
}

/** The shortest PAX time; round trip with {@link parsePaxTime}. */
export function formatPaxTime({ sec, nsec }: Timespec): string {
  if (nsec === 0) return String(sec);
  if (sec >= 0) return `${sec}.${fraction(nsec)}`;
  return `-${-sec - 1}.${fraction(1_000_000_000 - nsec)}`;
}

function fraction(nsec: number): string {
  return String(nsec).padStart(9, "0").replace(/0+$/, "");
}

/** A non-negative decimal of a PAX record. */
export function parsePaxNumber(text: string, field: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw tarError(`${field} is not a number`);
  return value;
}
