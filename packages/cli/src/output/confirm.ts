// Docker's question before something is removed; anything but `y` leaves it, and so does the end of the input.
import { createInterface } from "node:readline/promises";
import { out } from "./print.ts";

/** Asks; resolves to true for `y` or `yes`. */
export async function confirm(warning: string): Promise<boolean> {
  out(`WARNING! ${warning}\nAre you sure you want to continue? [y/N] `);
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) return /^y(?:es)?$/i.test(line.trim());
  return false;
}
