// Caps a guest's memory by rewriting the maximum in the module's memory section (core specification 5.5.8): V8 then makes
// memory.grow answer -1, which languages report as out of memory. Worker resource limits do not bound WebAssembly memory.
import { LapError } from "@lapstrake/base";
import { readU32, writeU32 } from "./leb.ts";
import { SECTION, sections, type Section } from "./sections.ts";

/** Bytes of one page of linear memory. */
export const PAGE_BYTES = 65_536;

const HAS_MAXIMUM = 1;
const IS_64 = 4;

/** `bytes` with every memory limited to `maxBytes`; the same array when nothing had to change. */
export function limitMemory(bytes: Uint8Array<ArrayBuffer>, maxBytes: number): Uint8Array<ArrayBuffer> {
  const section = sections(bytes).find(({ id }) => id === SECTION.memory);
  if (section === undefined) return bytes;
  const content = rewrite(bytes, section, Math.floor(maxBytes / PAGE_BYTES));
  const head = [SECTION.memory, ...writeU32(content.length)];
  const out = new Uint8Array(bytes.length - (section.end - section.start) + head.length + content.length);
  out.set(bytes.subarray(0, section.start), 0);
  out.set(head, section.start);
  out.set(content, section.start + head.length);
  out.set(bytes.subarray(section.end), section.start + head.length + content.length);
  return out;
}

function rewrite(bytes: Uint8Array, section: Section, maxPages: number): number[] {
  const count = readU32(bytes, section.content);
  const out = writeU32(count.value);
  let at = count.next;
  for (let i = 0; i < count.value; i++) {
    const flags = bytes[at] ?? 0;
    if ((flags & IS_64) !== 0) throw unsupported64();
    const minimum = readU32(bytes, at + 1);
    const maximum = (flags & HAS_MAXIMUM) === 0 ? undefined : readU32(bytes, minimum.next);
    if (minimum.value > maxPages) throw tooSmall(minimum.value * PAGE_BYTES, maxPages * PAGE_BYTES);
    out.push(
      flags | HAS_MAXIMUM,
      ...writeU32(minimum.value),
      ...writeU32(Math.min(maximum?.value ?? maxPages, maxPages)),
    );
    at = maximum?.next ?? minimum.next;
  }
  return out;
}

function tooSmall(needs: number, limit: number): LapError {
  return new LapError(
    "resourceExhausted",
    "ERR_LAP_WASM_MEMORY",
    `the guest needs ${needs} bytes of memory to start, its limit is ${limit}`,
    { hint: "raise the memory limit", detail: { limit: "memoryBytes", value: limit, needs } },
  );
}

function unsupported64(): LapError {
  return new LapError("unimplemented", "ERR_LAP_WASM_MEMORY64", "64-bit memories cannot be limited", {
    hint: "run the guest without a memory limit, or build it for wasm32",
  });
}
