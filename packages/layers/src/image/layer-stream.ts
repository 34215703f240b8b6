// A layer's blob -> its uncompressed tar, with the diffID checked at the end: what apply, extract and verify read.
import { LapError, digestAlgorithm, digestOf, type Descriptor, type Digest } from "@lapstrake/base";
import { MAX_LAYER_BYTES } from "../limits.ts";
import { mismatch, type BlobStore } from "./blobs.ts";
import { layerCompression } from "./documents.ts";
import type { StorePorts } from "./ports.ts";

/** Chunks of the uncompressed layer. The iteration throws `ERR_LAP_DIGEST_MISMATCH` at its end when blob or diffID do not fit. */
export async function* layerStream(
  blobs: BlobStore,
  ports: StorePorts,
  layer: Descriptor,
  diffID: Digest,
  maxBytes: number = MAX_LAYER_BYTES,
): AsyncGenerator<Uint8Array, void, undefined> {
  const format = layerCompression(layer.mediaType);
  const raw = blobs.stream(layer.digest);
  const chunks = format === undefined ? raw : ports.compression.decompress(format, raw);
  yield* verified(chunks, ports, diffID, maxBytes);
}

/** Passes chunks on and checks their digest at the end; throws `ERR_LAP_LIMIT` when they are more than `maxBytes`. */
export async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  ports: StorePorts,
  expected: Digest,
  maxBytes: number = MAX_LAYER_BYTES,
): AsyncGenerator<Uint8Array, void, undefined> {
  const algorithm = digestAlgorithm(expected) === "sha512" ? "sha512" : "sha256";
  const hasher = ports.hash.create(algorithm);
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(expected, maxBytes);
    hasher.update(chunk);
    yield chunk;
  }
  const actual = digestOf(hasher.hex(), algorithm);
  if (actual !== expected) throw mismatch(expected, actual);
}

function tooLarge(diffID: Digest, maxBytes: number): LapError {
  return new LapError(
    "resourceExhausted",
    "ERR_LAP_LIMIT",
    `layer ${diffID} has more than ${maxBytes} uncompressed bytes`,
    {
      detail: { diffID, maxBytes },
    },
  );
}
