import { describe, expect, it } from "vitest";
import { command } from "../testing/encode.ts";
import { Wasm } from "../webassembly.ts";
import { PAGE_BYTES, limitMemory } from "./memory-limit.ts";

function memoryOf(bytes: Uint8Array<ArrayBuffer>): { grow(pages: number): number } {
  return new Wasm.Instance(new Wasm.Module(bytes)).exports["memory"] as { grow(pages: number): number };
}

describe("limitMemory", () => {
  it("makes growth beyond the limit fail, and only that", () => {
    const memory = memoryOf(limitMemory(command([]), 3 * PAGE_BYTES));
    expect(memory.grow(2)).toBe(1);
    expect(() => memory.grow(1)).toThrow();
    expect(memoryOf(command([])).grow(3)).toBe(1);
  });

  it("keeps a smaller maximum of the module", () => {
    const once = limitMemory(command([]), 2 * PAGE_BYTES);
    expect(() => memoryOf(limitMemory(once, 9 * PAGE_BYTES)).grow(2)).toThrow();
  });

  it("survives limits whose encoding is longer than before", () => {
    expect(memoryOf(limitMemory(command([]), 1000 * PAGE_BYTES)).grow(999)).toBe(1);
  });

  it("refuses a module cut short", () => {
    expect(() => limitMemory(command([]).slice(0, 20), PAGE_BYTES)).toThrow(/section|malformed/);
  });
});
