import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { unpacked } from "./flat.ts";

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(stream)).toString();
}

it("takes plain bytes as they are and gzip apart", async () => {
  const plain = Buffer.from("some words, some more");
  expect(await text(await unpacked(pieces(plain, 7)))).toBe(plain.toString());
  expect(await text(await unpacked(pieces(gzipSync(plain), 7)))).toBe(plain.toString());
  expect(await text(await unpacked(pieces(Buffer.alloc(0), 7)))).toBe("");
});

it("fails for gzip that is cut off", async () => {
  const packed = gzipSync(Buffer.from("some words"));
  await expect(text(await unpacked(pieces(packed.subarray(0, -4), 7)))).rejects.toThrow("unexpected end of file");
});
