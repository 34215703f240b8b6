import { expect, it } from "vitest";
import fc from "fast-check";
import { fromByteString, fromBytes, toByteString, toBytes } from "./bytes.ts";

it("keeps any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000 }), (raw) => void expect(toBytes(fromBytes(raw))).toEqual(raw)),
  );
});

it("round-trips any text through UTF-8", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => void expect(fromByteString(toByteString(text))).toBe(text)),
  );
});

it("shows invalid UTF-8 as a replacement character", () => {
  expect(fromByteString("\u00ff")).toBe("\ufffd");
});
