// Frames survive any cut of the byte stream; impossible lengths are refused.
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeFrame, FrameDecoder } from "./wire.ts";

test("frames come out as they went in, however the stream is cut", () => {
  const frame = fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 100 }));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (frames, step) => {
      const bytes = Buffer.concat(frames.map(([type, payload]) => encodeFrame(type, payload)));
      const decoder = new FrameDecoder();
      const out: [number, Uint8Array][] = [];
      for (let at = 0; at < bytes.length; at += step) {
        for (const { type, payload } of decoder.push(bytes.subarray(at, at + step)))
          out.push([type, new Uint8Array(payload)]);
      }
      expect(out).toEqual(frames);
    }),
  );
});

test("a frame of an impossible length is refused", () => {
  const header = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  expect(() => new FrameDecoder().push(header)).toThrow(expect.objectContaining({ code: "ERR_LAP_WIRE" }));
});
