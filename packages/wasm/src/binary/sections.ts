// The sections of a core module, as far as the host looks at them (core specification 5.5).
import { LapError } from "@lapstrake/base";
import { readU32 } from "./leb.ts";

export const SECTION = { custom: 0, import: 2, memory: 5 } as const;

/** One section: its id byte is at `start`, its content at [content, end). */
export interface Section {
  readonly id: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** Sections in file order. */
export function sections(bytes: Uint8Array): Section[] {
  const out: Section[] = [];
  for (let at = 8; at < bytes.length;) {
    const { value: size, next } = readU32(bytes, at + 1);
    const end = next + size;
    if (end > bytes.length) {
      throw new LapError("invalidArgument", "ERR_LAP_WASM_FORMAT", "the module ends in the middle of a section");
    }
    out.push({ id: bytes[at] as number, start: at, content: next, end });
    at = end;
  }
  return out;
}
