// One gzip member made by several threads: blocks are deflated on libuv's pool, each with the tail of the one before as dictionary, and
// joined by sync flushes (RFC 1952, RFC 1951 §3.2.4). The bytes depend on the input and the level alone, not on threads or chunks.
import { promisify } from "node:util";
import zlib from "node:zlib";

const BLOCK_BYTES = 1024 * 1024;
const DICTIONARY_BYTES = 32 * 1024;
/** Blocks under way at once: libuv's pool has four threads. */
const AT_ONCE = 4;
const HEADER = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

const deflateRaw: (bytes: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer> = promisify(zlib.deflateRaw);

/** The gzip of `input` as chunks. */
export async function* parallelGzip(
  input: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pending: Promise<Buffer>[] = [];
  let dictionary: Uint8Array | undefined;
  let crc = 0;
  let size = 0;
  yield HEADER;
  try {
    for await (const block of blocks(input)) {
      crc = zlib.crc32(block, crc);
      size += block.length;
      pending.push(deflateBlock(block, level, dictionary));
      dictionary = block.subarray(-DICTIONARY_BYTES);
      if (pending.length >= AT_ONCE) yield await pending.shift()!;
    }
    while (pending.length > 0) yield await pending.shift()!;
  } finally {
    await Promise.allSettled(pending);
  }
  yield trailer(crc, size);
}

function deflateBlock(block: Uint8Array, level: number, dictionary: Uint8Array | undefined): Promise<Buffer> {
  const options = { level, chunkSize: BLOCK_BYTES, finishFlush: zlib.constants.Z_SYNC_FLUSH };
  return deflateRaw(block, dictionary === undefined ? options : { ...options, dictionary });
}

/** The empty last block, then CRC-32 and size. */
function trailer(crc: number, size: number): Uint8Array {
  const end = new Uint8Array(10);
  end.set([3, 0]);
  const view = new DataView(end.buffer);
  view.setUint32(2, crc, true);
  view.setUint32(6, size % 2 ** 32, true);
  return end;
}

/** The input in blocks of one size, the last one shorter; none when it is empty. */
async function* blocks(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let block = new Uint8Array(BLOCK_BYTES);
  let length = 0;
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length;) {
      const count = Math.min(chunk.length - at, BLOCK_BYTES - length);
      block.set(chunk.subarray(at, at + count), length);
      length += count;
      at += count;
      if (length < BLOCK_BYTES) continue;
      yield block;
      block = new Uint8Array(BLOCK_BYTES);
      length = 0;
    }
  }
  if (length > 0) yield block.subarray(0, length);
}
