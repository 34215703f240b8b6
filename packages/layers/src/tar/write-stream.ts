// Tar members whose bytes come as streams: archives of blobs, which never lie in memory whole.
import type { LayerEntry } from "../tree/entries.ts";
import { tarError } from "./errors.ts";
import { BLOCK } from "./header.ts";
import { writeMember, writeTar } from "./writer.ts";

/** A member and where its bytes come from; undefined: from its content. */
export interface StreamedEntry {
  readonly entry: LayerEntry;
  readonly bytes: (() => AsyncIterable<Uint8Array>) | undefined;
}

/** The archive as chunks; a stream must have exactly `entry.size` bytes. */
export async function* writeTarStream(entries: Iterable<StreamedEntry>): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { entry, bytes } of entries) {
    if (bytes === undefined) {
      yield* writeMember(entry);
      continue;
    }
    yield* writeMember({ ...entry, content: undefined }, false);
    let size = 0;
    for await (const chunk of bytes()) {
      size += chunk.length;
      yield chunk;
    }
    if (size !== entry.size) throw tarError(`"${entry.path}" has ${size} bytes, not ${entry.size}`);
    if (size % BLOCK !== 0) yield new Uint8Array(BLOCK - (size % BLOCK));
  }
  yield* writeTar([]);
}
