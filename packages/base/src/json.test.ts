import { expect, it } from "vitest";
import { parseJson, parseJsonObject } from "./json.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it("parses what is valid", () => {
  expect(parseJson(bytes('{"a":["}",1]}'), "document", 100)).toEqual({ a: ["}", 1] });
});

it.each([
  ["too large", "[" + "1,".repeat(100) + "1]"],
  ["nested too deep", "[".repeat(70) + "]".repeat(70)],
  ["cut", '{"a":'],
  ["no object", "[]"],
  ["null", "null"],
])("refuses a document that is %s", (_, text) => {
  expect(() => parseJsonObject(bytes(text), "manifest", 150)).toThrow(/^invalid manifest: /);
});

it("refuses invalid UTF-8", () => {
  expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), "config", 10)).toThrow(/^invalid config: /);
});
