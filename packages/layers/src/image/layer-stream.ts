// A layer's blob -> its uncompressed tar, with the diffID checked at the end: what apply, extract and verify read.
import { digestAlgorithm, digestOf, type Descriptor, type Digest } from "@lapstrake/base";
import { mismatch, type BlobStore } from "./blobs.ts";
import { layerCompression } from "./documents.ts";
import type { StorePorts } from "./ports.ts";

/** Chunks of the uncompressed layer. The iteration throws `ERR_LAP_DIGEST_MISMATCH` at its end when blob or diffID do not fit. */
export async function* layerStream(
  blobs: BlobStore,
  ports: StorePorts,
  layer: Descriptor,
  diffID: Digest,
): AsyncGenerator<Uint8Array, void, undefined> {
  const format = layerCompression(layer.mediaType);
  const raw = blobs.stream(layer.digest);
  const chunks = format === undefined ? raw : ports.compression.decompress(format, raw);
  yield* verified(chunks, ports, diffID);
}

/** Passes chunks on and checks their digest at the end. */
export async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  ports: StorePorts,
  expected: Digest,
): AsyncGenerator<Uint8Array, void, undefined> {
  const algorithm = digestAlgorithm(expected) === "sha512" ? "sha512" : "sha256";
  const hasher = ports.hash.create(algorithm);
  for await (const chunk of chunks) {
    hasher.update(chunk);
    yield chunk;
  }
  const actual = digestOf(hasher.hex(), algorithm);
  if (actual !== expected) throw mismatch(expected, actual);
}
