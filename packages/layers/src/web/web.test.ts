// The ports without Node against the ones with it.
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeCompression } from "../node/ports.ts";
import { collect, once } from "../testing/store.ts";
import { webCompression } from "./index.ts";
import { Sha256 } from "./sha256.ts";

describe("web ports", () => {
  it("hashes as node:crypto does, in any pieces", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 });
    const law = fc.property(pieces, (parts) => {
      const [ours, theirs] = [new Sha256(), createHash("sha256")];
      for (const part of parts) {
        ours.update(part);
        theirs.update(part);
      }
      expect(ours.hex()).toBe(theirs.digest("hex"));
    });
    fc.assert(law);
  });

  it("reads node's gzip and writes what node reads; broken data has our code", async () => {
    const bytes = new TextEncoder().encode("layers ".repeat(50_000));
    const packed = await collect(nodeCompression.compress("gzip", once(bytes)));
    expect(await collect(webCompression.decompress("gzip", once(packed)))).toEqual(bytes);
    expect(await collect(nodeCompression.decompress("gzip", webCompression.compress("gzip", once(bytes))))).toEqual(
      bytes,
    );
    const broken = collect(webCompression.decompress("gzip", once(packed.subarray(0, 100))));
    await expect(broken).rejects.toMatchObject({ code: "ERR_LAP_COMPRESSION_INVALID" });
    await expect(collect(webCompression.decompress("zstd", once(packed)))).rejects.toMatchObject({
      code: "ERR_LAP_COMPRESSION_UNSUPPORTED",
    });
  });
});
