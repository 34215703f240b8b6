// LEB128 numbers of the WebAssembly binary format (core specification 5.2.2): up to 32 bits here.
import { LapError } from "@lapstrake/base";

/** A number and where the next byte is. */
export interface Decoded {
  readonly value: number;
  readonly next: number;
}

/** Reads an unsigned number; a truncated or overlong one is an error. */
export function readU32(bytes: Uint8Array, at: number): Decoded {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return { value, next: at + i + 1 };
  }
  throw new LapError("invalidArgument", "ERR_LAP_WASM_FORMAT", `malformed number at byte ${at} of the module`);
}

/** The shortest encoding. */
export function writeU32(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? byte | 0x80 : byte);
  } while (rest > 0);
  return out;
}
