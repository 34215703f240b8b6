import { describe, expect, it } from "vitest";
import { detectWasm, mustDetectWasm } from "./detect.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("detectWasm", () => {
  it.each([
    [new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), "module"],
    [new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), "component"],
    [text("(module)"), "wat"],
    [text(";; a comment\n  (component"), "wat"],
    [text("#!/bin/sh\n(module)"), undefined],
    [text("(modules)"), undefined],
    [new Uint8Array([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), undefined],
    [new Uint8Array(0), undefined],
  ])("%#: %s", (bytes, kind) => {
    expect(detectWasm(bytes)).toBe(kind);
  });

  it("names the program that is none", () => {
    expect(() => mustDetectWasm(text("\u007fELF"), "/bin/sh")).toThrow("/bin/sh is not WebAssembly");
  });
});
