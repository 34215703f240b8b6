import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LapError } from "@lapstrake/base";
import { afterEach, beforeEach, expect, it } from "vitest";
import { handoverDir } from "./handover.ts";
import { clearEnd, endText, noteEnd } from "./wasm-end.ts";

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lap-end-"));
  mkdirSync(handoverDir(dir));
  file = join(handoverDir(dir), "end.json");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it("keeps an end until the next run", () => {
  expect(endText(dir)).toBe("");
  noteEnd(dir, new LapError("deadlineExceeded", "ERR_LAP_WASM_TIMEOUT", "too long"));
  expect(endText(dir)).toBe("ERR_LAP_WASM_TIMEOUT: too long");
  clearEnd(dir);
  expect(endText(dir)).toBe("");
});

it("believes nothing that a payload may have put there", () => {
  const outside = join(dir, "outside.json");
  writeFileSync(outside, JSON.stringify({ code: "A", message: "b" }));
  symlinkSync(outside, file);
  expect(endText(dir)).toBe("");
  rmSync(file);
  for (const text of ["", "{", "null", JSON.stringify({ code: "A", message: "\u001b[2J" }), "x".repeat(10_000)]) {
    writeFileSync(file, text);
    expect(endText(dir)).toBe("");
  }
  rmSync(file);
  mkdirSync(file);
  expect(endText(dir)).toBe("");
});
