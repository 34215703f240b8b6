// All of a file, also of one whose size says nothing, as those of /proc.
import type { NodeFs } from "@lapstrake/layers";

const CHUNK_BYTES = 64 * 1024;

/** Its bytes. */
export function readWhole(fs: NodeFs, path: string): Uint8Array {
  const fd = fs.openSync(path, "r");
  try {
    const chunks: Uint8Array[] = [];
    for (let at = 0; ;) {
      const chunk = new Uint8Array(Math.max(CHUNK_BYTES, fs.fstatSync(fd).size - at));
      const got = fs.readSync(fd, chunk, 0, chunk.length, at);
      if (got === 0) return chunks.length === 1 ? chunks[0]! : new Uint8Array(Buffer.concat(chunks));
      chunks.push(chunk.subarray(0, got));
      at += got;
    }
  } finally {
    fs.closeSync(fd);
  }
}
