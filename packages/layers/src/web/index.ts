// The ports where there is no Node: SHA-256 in TypeScript, gzip by the platform's compression streams, the platform's clock.
// With dirFsOf(UnionFs.create([])) as directory, stores and images work in a browser without a disk.
import {
  LapError,
  digestOf,
  type ClockPort,
  type CompressionFormat,
  type CompressionPort,
  type Digest,
  type HashPort,
} from "@lapstrake/base";
import { Sha256 } from "./sha256.ts";

/** SHA-256 only; sha512 throws `ERR_LAP_HASH_UNSUPPORTED`. */
export const webHash: HashPort = {
  create(algorithm) {
    if (algorithm === "sha256") return new Sha256();
    throw new LapError("unimplemented", "ERR_LAP_HASH_UNSUPPORTED", "sha512 is not available here");
  },
  digest(algorithm, bytes): Digest {
    const hasher = this.create(algorithm);
    hasher.update(bytes);
    return digestOf(hasher.hex());
  },
};

/** Gzip by CompressionStream and DecompressionStream; zstd and whole-buffer calls throw `ERR_LAP_COMPRESSION_UNSUPPORTED`. */
export const webCompression: CompressionPort = {
  formats: ["gzip"],
  async *decompress(format, input) {
    requireGzip(format);
    yield* through(input, new DecompressionStream("gzip"));
  },
  decompressSync(): Uint8Array {
    throw new LapError("unimplemented", "ERR_LAP_COMPRESSION_UNSUPPORTED", "the platform decompresses streams only");
  },
  async *compress(format, input) {
    requireGzip(format);
    yield* through(input, new CompressionStream("gzip"));
  },
};

function requireGzip(format: CompressionFormat): void {
  if (format === "gzip") return;
  throw new LapError("unimplemented", "ERR_LAP_COMPRESSION_UNSUPPORTED", `${format} is not available here`);
}

interface Transform {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
}

async function* through(
  input: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = transform.writable.getWriter();
  const feeding = feed(input, writer);
  // The reader sees the failure first; without a listener the other side would count as unhandled.
  feeding.catch(() => undefined);
  const reader = transform.readable.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    await feeding;
  } catch (cause) {
    throw cause instanceof LapError
      ? cause
      : new LapError("invalidArgument", "ERR_LAP_COMPRESSION_INVALID", `invalid gzip data: ${String(cause)}`, {
          cause,
        });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function feed(
  input: AsyncIterable<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  try {
    for await (const chunk of input) await writer.write(chunk as Uint8Array<ArrayBuffer>);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
}

/** The platform's clock and timers. */
export const webClock: ClockPort = {
  now() {
    const ms = Date.now();
    return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
  },
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    });
  },
};

/** Hash, compression and clock of the platform, as the stores take them. */
export const webPorts: { readonly hash: HashPort; readonly compression: CompressionPort; readonly clock: ClockPort } = {
  hash: webHash,
  compression: webCompression,
  clock: webClock,
};
