import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeRequest } from "../netlink/message.ts";
import { deleteElements, encodeComment, newElements, type Element } from "./objects.ts";
import { decodeComment, parseElements } from "./parse.ts";

const element = fc.record<Element>({
  key: fc.uint8Array({ minLength: 1, maxLength: 32 }).map((bytes) => new Uint8Array(bytes)),
  data: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
  comment: fc.stringMatching(/^[ -~]{0,127}$/),
});

function readBack(requests: ReturnType<typeof newElements>): Element[] {
  return requests.flatMap((request) => {
    const bytes = encodeRequest(request, 1);
    return parseElements({ type: request.type, flags: 0, seq: 1, payload: bytes.subarray(16) });
  });
}

test("elements read back as they were written, comment and all", () => {
  fc.assert(
    fc.property(fc.array(element, { maxLength: 20 }), (elements) => {
      expect(readBack(newElements("ip", "t", "s", elements))).toEqual(elements);
    }),
  );
});

test("many elements make several messages, each within an attribute's 64 KiB", () => {
  const many = Array.from({ length: 5000 }, (_, i) => ({
    key: Uint8Array.of(i >> 8, i),
    data: undefined,
    comment: "owner",
  }));
  const requests = newElements("ip", "t", "s", many);
  expect(requests.length).toBeGreaterThan(2);
  for (const request of requests) expect(encodeRequest(request, 1).length).toBeLessThan(65_536);
  expect(readBack(requests)).toEqual(many);
  expect(
    readBack(deleteElements("ip", "t", "s", many))
      .map(({ comment }) => comment)
      .join(""),
  ).toBe("");
});

test("comments hold 127 bytes, and foreign userdata has none", () => {
  expect(decodeComment(encodeComment("x".repeat(127)))).toBe("x".repeat(127));
  for (const bad of ["x".repeat(128), "ü".repeat(64), "a\0b"])
    expect(() => encodeComment(bad)).toThrow("nftables comment of");
  expect(decodeComment(Uint8Array.of(7, 1, 0))).toBe("");
  expect(decodeComment(undefined)).toBe("");
});
