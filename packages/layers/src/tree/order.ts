// Byte order of names: what makes listings and archives the same on every machine.
import type { ByteString } from "@lapstrake/base";

/** Order of two ByteStrings by their bytes (units are 0..255, so `<` is byte order). */
export function compareBytes(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
