import fc from "fast-check";
import { expect, test } from "vitest";
import {
  attrsLength,
  concat,
  decodeAttrs,
  encodeAttrs,
  readText,
  text,
  u16,
  u32,
  type Attr,
  type RawAttr,
} from "./attrs.ts";
import {
  decodeAck,
  decodeMessages,
  encodeRequest,
  netlinkError,
  NLMSG_DONE,
  NLMSG_ERROR,
  type Request,
} from "./message.ts";

const type = fc.integer({ min: 1, max: 0x3fff });
const bytes = fc.uint8Array({ maxLength: 40 }).map((value) => new Uint8Array(value));
const { attr } = fc.letrec<{ attr: Attr }>((tie) => ({
  attr: fc.record({
    type,
    value: fc.oneof({ maxDepth: 4 }, bytes, fc.array(tie("attr"), { minLength: 1, maxLength: 4 })),
  }),
}));

function decodeLike(raw: readonly RawAttr[], like: readonly Attr[]): Attr[] {
  return raw.map(({ type: each, value }, i) => {
    const model = like[i]!.value;
    return {
      type: each,
      value: model instanceof Uint8Array ? new Uint8Array(value) : decodeLike(decodeAttrs(value), model),
    };
  });
}

const request = (attrs: readonly Attr[]): Request => ({
  type: 20,
  flags: 4,
  header: u32(7),
  attrs,
  name: "RTM_TEST",
  subject: "x",
});

test("attributes decode to what was encoded, nested and padded", () => {
  fc.assert(
    fc.property(fc.array(attr, { maxLength: 6 }), (attrs) => {
      const encoded = encodeAttrs(attrs);
      expect(encoded.length).toBe(attrsLength(attrs));
      expect(encoded.length % 4).toBe(0);
      expect(decodeLike(decodeAttrs(encoded), attrs)).toEqual(attrs);
    }),
  );
});

test("messages in one datagram decode to the requests in order", () => {
  fc.assert(
    fc.property(fc.array(fc.array(attr, { maxLength: 3 }), { maxLength: 4 }), (lists) => {
      const datagram = concat(lists.map((attrs, seq) => encodeRequest(request(attrs), seq)));
      const messages = decodeMessages(datagram);
      expect(messages.map(({ type: each, flags, seq }) => ({ each, flags, seq }))).toEqual(
        lists.map((_, seq) => ({ each: 20, flags: 5, seq })),
      );
      for (const [i, { payload }] of messages.entries()) expect(payload.subarray(4)).toEqual(encodeAttrs(lists[i]!));
    }),
  );
});

test("bytes from nowhere throw one error or decode, and never run away", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      for (const decode of [decodeAttrs, decodeMessages]) {
        try {
          expect(decode(new Uint8Array(noise)).length).toBeLessThanOrEqual(50);
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_LAP_NETLINK_REPLY" });
        }
      }
    }),
  );
});

test("an attribute beyond 64 KiB is refused", () => {
  expect(() => encodeAttrs([{ type: 1, value: new Uint8Array(65_536) }])).toThrow(
    "netlink attribute 1 has 65540 bytes",
  );
});

test("a refusal becomes a Node-shaped error with the kernel's words", () => {
  const echoed = encodeRequest(request([]), 1);
  const words = encodeAttrs([{ type: 1, value: text("Device is a bridge") }]);
  for (const [flags, echo] of [
    [0x200, echoed],
    [0x300, echoed.subarray(0, 16)],
  ] as const) {
    const message = { type: NLMSG_ERROR, flags, seq: 1, payload: concat([u32(-16), echo, words]) };
    const ack = decodeAck(message)!;
    expect(ack).toEqual({ errno: 16, text: "Device is a bridge" });
    expect(netlinkError(ack, request([]))).toMatchObject({
      code: "EBUSY",
      errno: -16,
      syscall: "RTM_TEST",
      path: "x",
      message: "EBUSY: RTM_TEST 'x': Device is a bridge",
    });
  }
});

test("an acknowledgement, the end of a dump, and everything else", () => {
  const of = (each: number, payload: Uint8Array): ReturnType<typeof decodeAck> =>
    decodeAck({ type: each, flags: 0, seq: 1, payload });
  expect(of(NLMSG_ERROR, concat([u32(0), new Uint8Array(16)]))).toEqual({ errno: 0, text: "" });
  expect(of(NLMSG_DONE, u32(-4))).toEqual({ errno: 4, text: "" });
  expect(of(16, u32(1))).toBeUndefined();
  expect(readText(u16(0x4142))).toBe("BA");
});
