// The ports over Node: hashes by node:crypto (SHA extensions of the processor), gzip and zstd by node:zlib, the wall clock.
import { createHash, hash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import zlib from "node:zlib";
import {
  LapError,
  digestOf,
  type ClockPort,
  type CompressionFormat,
  type CompressionPort,
  type Digest,
  type HashPort,
} from "@lapstrake/base";
import { parallelGzip } from "./parallel-gzip.ts";

/** Output chunks of zlib; its default of 16 KiB costs three times the work per byte. */
const CHUNK_BYTES = 256 * 1024;
const GZIP_LEVEL = 1;
const ZSTD_LEVEL = 3;

/** node:crypto. */
export const nodeHash: HashPort = {
  create(algorithm) {
    const running = createHash(algorithm);
    return {
      update: (bytes) => void running.update(bytes),
      hex: () => running.digest("hex"),
    };
  },
  digest(algorithm, bytes): Digest {
    return digestOf(hash(algorithm, bytes, "hex"), algorithm);
  },
};

/** node:zlib; the work runs on libuv's threads while the caller goes on. */
export const nodeCompression: CompressionPort = {
  formats: ["gzip", "zstd"],
  async *decompress(format, input) {
    const stream =
      format === "gzip"
        ? zlib.createGunzip({ chunkSize: CHUNK_BYTES })
        : zlib.createZstdDecompress({ chunkSize: CHUNK_BYTES });
    yield* pump(input, stream, format);
  },
  decompressSync(format, input, maxBytes): Uint8Array {
    const options = { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES };
    try {
      return format === "gzip" ? zlib.gunzipSync(input, options) : zlib.zstdDecompressSync(input, options);
    } catch (cause) {
      if ((cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") {
        throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", `decompressed data is larger than ${maxBytes} bytes`, {
          cause,
        });
      }
      throw broken(format, cause);
    }
  },
  async *compress(format, input, level) {
    if (format === "gzip") {
      yield* parallelGzip(input, level ?? GZIP_LEVEL);
      return;
    }
    const params = { [zlib.constants.ZSTD_c_compressionLevel]: level ?? ZSTD_LEVEL };
    yield* pump(input, zlib.createZstdCompress({ params, chunkSize: CHUNK_BYTES }), format);
  },
};

/** Runs `input` through a zlib stream at the reader's pace; an error of the input comes out as it is. */
async function* pump(
  input: AsyncIterable<Uint8Array>,
  stream: NodeJS.ReadWriteStream & AsyncIterable<Uint8Array> & { destroy(error?: Error): void },
  format: CompressionFormat,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = Readable.from(input, { objectMode: false, highWaterMark: CHUNK_BYTES });
  let sourceError: Error | undefined;
  source.on("error", (error: Error) => {
    sourceError = error;
    stream.destroy(error);
  });
  source.pipe(stream);
  try {
    yield* stream;
  } catch (cause) {
    throw sourceError ?? broken(format, cause);
  } finally {
    source.destroy();
    stream.destroy();
  }
}

function broken(format: CompressionFormat, cause: unknown): LapError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LapError("invalidArgument", "ERR_LAP_COMPRESSION_INVALID", `invalid ${format} data: ${why}`, { cause });
}

/** The machine's clock. */
export const nodeClock: ClockPort = {
  now() {
    const ms = Date.now();
    return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
  },
  async sleep(ms, signal) {
    await setTimeout(ms, undefined, signal === undefined ? {} : { signal });
  },
};
