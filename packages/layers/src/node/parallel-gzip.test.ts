// Parallel gzip: one member that every reader takes, the same bytes however the input was cut.
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, once } from "../testing/store.ts";
import { parallelGzip } from "./parallel-gzip.ts";
import { nodeCompression } from "./ports.ts";
import { webCompression } from "../web/index.ts";

async function* cut(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += step) yield await Promise.resolve(bytes.subarray(at, at + step));
}

/** Something that compresses, longer than two blocks. */
function sample(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => ((i * i) % 251) & (i >> 9));
}

describe("parallelGzip", () => {
  it("reads back, in Node and where only one member is allowed", async () => {
    for (const size of [0, 1, 1024 * 1024, 2_500_000]) {
      const bytes = sample(size);
      const packed = await collect(parallelGzip(once(bytes), 1));
      expect(Buffer.compare(gunzipSync(packed), bytes)).toBe(0);
      expect(await collect(webCompression.decompress("gzip", once(packed)))).toEqual(bytes);
    }
  });

  it("does not depend on how the input is cut", async () => {
    const bytes = sample(1_200_000);
    const whole = await collect(parallelGzip(once(bytes), 1));
    const law = fc.asyncProperty(fc.integer({ min: 10_000, max: 2_000_000 }), async (step) => {
      expect(Buffer.compare(await collect(parallelGzip(cut(bytes, step), 1)), whole)).toBe(0);
    });
    await fc.assert(law, { numRuns: 5 });
  });

  it("compresses about as well as one thread: blocks know what came before", async () => {
    const bytes = sample(3_000_000);
    const [parallel, single] = [
      await collect(parallelGzip(once(bytes), 6)),
      (await import("node:zlib")).gzipSync(bytes, { level: 6 }),
    ];
    expect(parallel.length).toBeLessThan(single.length * 1.05);
  });

  it("passes on an error of the input", async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
      yield sample(100);
      await Promise.reject(new Error("the input broke"));
    }
    await expect(collect(nodeCompression.compress("gzip", failing()))).rejects.toThrow("the input broke");
  });
});
