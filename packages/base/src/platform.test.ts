import { expect, it } from "vitest";
import { formatPlatform, isWasmPlatform, parsePlatform, samePlatform } from "./platform.ts";

it.each([
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["arm64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/arm/v7", "linux/arm"],
  ["linux/arm/v6", "linux/arm/v6"],
  ["wasip1/wasm", "wasip1/wasm"],
  ["wasi/wasm32", "wasi/wasm"],
])("%s is %s", (text, normal) => expect(formatPlatform(parsePlatform(text))).toBe(normal));

it("knows the Wasm platforms", () => {
  expect(isWasmPlatform(parsePlatform("wasi/wasm32"))).toBe(true);
  expect(isWasmPlatform(parsePlatform("linux/amd64"))).toBe(false);
  expect(
    samePlatform({ os: "linux", architecture: "aarch64" }, { os: "linux", architecture: "arm64", variant: "v8" }),
  ).toBe(true);
});

it.each(["", "a/b/c/d", "linux//x", "linux/a b"])("refuses %j", (text) => {
  expect(() => parsePlatform(text)).toThrow(/invalid platform/);
});
