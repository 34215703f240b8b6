// Bytes of a changed file: copy-on-write chunks over the content of the lower file. A chunk is absent (the lower file, or a hole),
// shared with a snapshot, or our own. Snapshots cost the chunk table, never the bytes.
import { ERRNO, fsError } from "@lapstrake/base";
import type { Content, Extent } from "../tree/content.ts";
import type { Quota } from "./quota.ts";
import { MAX_FILE_BYTES } from "../limits.ts";

const CHUNK = 65_536;
const FIRST_ALLOCATION = 512;

export class FileData implements Content {
  #size: number;
  readonly #base: Content | undefined;
  /** Bytes of the base that still show. */
  #baseLimit: number;
  /** Chunks by index; a chunk may be shorter than CHUNK, the rest is zero. */
  readonly #chunks: Map<number, Uint8Array>;
  #owned = new Set<number>();
  readonly #quota: Quota;

  constructor(base: Content | undefined, quota: Quota) {
    this.#base = base;
    this.#size = base?.size ?? 0;
    this.#baseLimit = this.#size;
    this.#chunks = new Map();
    this.#quota = quota;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that are really stored, of the base included. */
  get storedBytes(): number {
    let bytes = this.#baseLimit;
    for (const chunk of this.#chunks.values()) bytes += chunk.length;
    return Math.min(bytes, Math.max(this.#size, 0));
  }

  read(position: number, into: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#size - position);
    if (count <= 0) return 0;
    for (let done = 0; done < count;) {
      const at = position + done;
      const index = Math.floor(at / CHUNK);
      const within = at - index * CHUNK;
      const step = Math.min(CHUNK - within, count - done);
      this.#readChunk(index, within, into, offset + done, step);
      done += step;
    }
    return count;
  }

  #readChunk(index: number, within: number, into: Uint8Array, offset: number, length: number): void {
    const chunk = this.#chunks.get(index);
    let done = 0;
    if (chunk !== undefined) {
      done = Math.max(0, Math.min(length, chunk.length - within));
      if (done > 0) into.set(chunk.subarray(within, within + done), offset);
    } else if (this.#base !== undefined) {
      const at = index * CHUNK + within;
      const shown = Math.min(length, this.#baseLimit - at);
      if (shown > 0) done = this.#base.read(at, into, offset, shown);
    }
    into.fill(0, offset + done, offset + length);
  }

  /** Writes as much as the quota allows, at least one byte: ENOSPC, EFBIG. */
  write(position: number, from: Uint8Array, offset: number, length: number): number {
    if (position + length > MAX_FILE_BYTES) throw fsError(ERRNO.EFBIG);
    let done = 0;
    while (done < length) {
      const at = position + done;
      const index = Math.floor(at / CHUNK);
      const within = at - index * CHUNK;
      const step = Math.min(CHUNK - within, length - done);
      const chunk = this.#own(index, within + step);
      if (chunk === undefined) break;
      chunk.set(from.subarray(offset + done, offset + done + step), within);
      done += step;
    }
    if (done === 0 && length > 0) throw fsError(ERRNO.ENOSPC);
    this.#size = Math.max(this.#size, position + done);
    return done;
  }

  /** The chunk as our own, at least `need` bytes long; undefined when the quota is reached. */
  #own(index: number, need: number): Uint8Array | undefined {
    const chunk = this.#chunks.get(index);
    const owned = this.#owned.has(index);
    if (owned && chunk!.length >= need) return chunk;
    const start = index * CHUNK;
    const shown = chunk?.length ?? Math.max(0, Math.min(CHUNK, this.#baseLimit - start));
    const length = Math.max(shown, allocation(need));
    const added = length - (owned ? chunk!.length : 0);
    if (!this.#quota.hasRoom(added)) return undefined;
    this.#quota.usedBytes += added;
    const copy = new Uint8Array(length);
    if (chunk !== undefined) copy.set(chunk);
    else if (shown > 0) this.#base!.read(start, copy, 0, shown);
    this.#chunks.set(index, copy);
    this.#owned.add(index);
    return copy;
  }

  truncate(size: number): void {
    if (size > MAX_FILE_BYTES) throw fsError(ERRNO.EFBIG);
    if (size < this.#size) this.#shrink(size);
    this.#size = size;
  }

  #shrink(size: number): void {
    this.#baseLimit = Math.min(this.#baseLimit, size);
    const keep = Math.ceil(size / CHUNK);
    for (const index of this.#chunks.keys()) if (index >= keep) this.#drop(index);
    const last = keep - 1;
    const within = size - last * CHUNK;
    const chunk = this.#chunks.get(last);
    if (chunk === undefined || chunk.length <= within) return;
    if (this.#owned.has(last)) chunk.fill(0, within);
    else this.#chunks.set(last, chunk.subarray(0, within));
  }

  #drop(index: number): void {
    if (this.#owned.delete(index)) this.#quota.usedBytes -= this.#chunks.get(index)!.length;
    this.#chunks.delete(index);
  }

  /** Gives the quota back: nobody reads this data any more. */
  release(): void {
    for (const index of this.#owned) this.#drop(index);
  }

  /** An unchanging view of the bytes as they are now; both sides copy a chunk before the next write to it. */
  snapshot(): Content {
    const copy = new FileData(this.#base, this.#quota);
    copy.#size = this.#size;
    copy.#baseLimit = this.#baseLimit;
    for (const [index, chunk] of this.#chunks) copy.#chunks.set(index, chunk);
    this.#owned = new Set();
    return copy;
  }

  extents(): readonly Extent[] {
    const indexes = new Set(this.#chunks.keys());
    for (let index = 0; index * CHUNK < this.#baseLimit; index++)
      if (!indexes.has(index)) this.#baseExtent(index, indexes);
    const sorted = [...indexes].toSorted((a, b) => a - b);
    return sorted.flatMap((index) => {
      const start = index * CHUNK;
      const length = Math.min(CHUNK, this.#size - start);
      return length > 0 ? [{ start, length }] : [];
    });
  }

  #baseExtent(index: number, into: Set<number>): void {
    const start = index * CHUNK;
    const end = Math.min(start + CHUNK, this.#baseLimit);
    const ranges = this.#base?.extents?.();
    if (ranges === undefined || ranges.some((range) => range.start < end && range.start + range.length > start))
      into.add(index);
  }
}

/** Small files get small chunks: the next power of two. */
function allocation(need: number): number {
  let size = FIRST_ALLOCATION;
  while (size < need) size *= 2;
  return size;
}
