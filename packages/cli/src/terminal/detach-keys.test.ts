import { expect, it } from "vitest";
import { DetachScanner, parseDetachKeys } from "./detach-keys.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (raw: Uint8Array): string => new TextDecoder().decode(raw);

it("parses docker's notation", () => {
  expect(parseDetachKeys()).toEqual([16, 17]);
  expect(parseDetachKeys("ctrl-a,d")).toEqual([1, 100]);
  expect(parseDetachKeys("ctrl-[")).toEqual([27]);
  expect(() => parseDetachKeys("ctrl-,x")).toThrow(/invalid detach keys/);
});

it("passes everything that is not the sequence, over chunk borders", () => {
  const scanner = new DetachScanner(parseDetachKeys());
  expect(text(scanner.feed(bytes("ab\x10")).pass)).toBe("ab");
  expect(text(scanner.feed(bytes("c")).pass)).toBe("\x10c");
  const twice = scanner.feed(bytes("\x10\x10x"));
  expect(text(twice.pass)).toBe("\x10\x10x");
  expect(scanner.feed(bytes("\x10"))).toEqual({ pass: new Uint8Array(0), detached: false });
  expect(scanner.feed(bytes("\x11rest"))).toEqual({ pass: new Uint8Array(0), detached: true });
});
