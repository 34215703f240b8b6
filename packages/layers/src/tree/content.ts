// Contents of regular files, read-only: slices of a decompressed layer, extents of a sparse member, a file on disk.
// The union filesystem reads lower files through this without copying them.

/** Immutable file bytes. */
export interface Content {
  /** Bytes. */
  readonly size: number;
  /** Copies at most `length` bytes from `position` to `into[offset…]`; returns how many, 0 at the end. */
  read(position: number, into: Uint8Array, offset: number, length: number): number;
  /** Ranges that hold data, ascending; absent when the whole file does. Everything between is a hole. */
  extents?(): readonly Extent[];
}

/** A range of a file that holds data; bytes. */
export interface Extent {
  readonly start: number;
  readonly length: number;
}

/** Content in one piece of memory. */
export class BytesContent implements Content {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.length;
  }

  read(position: number, into: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.bytes.length - position);
    if (count <= 0) return 0;
    into.set(this.bytes.subarray(position, position + count), offset);
    return count;
  }
}

/** A piece of a file: its bytes and where they stand. */
export interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Content in pieces with holes between them: sparse members, members that arrived in several chunks. */
class PiecesContent implements Content {
  readonly size: number;
  readonly #pieces: readonly Piece[];

  /** `pieces` ascend and do not overlap. */
  constructor(size: number, pieces: readonly Piece[]) {
    this.size = size;
    this.#pieces = pieces;
  }

  read(position: number, into: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.size - position);
    if (count <= 0) return 0;
    into.fill(0, offset, offset + count);
    const end = position + count;
    for (let i = this.#firstAfter(position); i < this.#pieces.length; i++) {
      const piece = this.#pieces[i]!;
      if (piece.start >= end) break;
      const from = Math.max(position, piece.start);
      const to = Math.min(end, piece.start + piece.bytes.length);
      into.set(piece.bytes.subarray(from - piece.start, to - piece.start), offset + from - position);
    }
    return count;
  }

  extents(): readonly Extent[] {
    return this.#pieces.map(({ start, bytes }) => ({ start, length: bytes.length }));
  }

  /** Index of the first piece that ends after `position`. */
  #firstAfter(position: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const piece = this.#pieces[middle]!;
      if (piece.start + piece.bytes.length <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const EMPTY = new BytesContent(new Uint8Array(0));

/** The content of `pieces` in a file of `size` bytes: one full piece is kept as it is. */
export function contentOf(size: number, pieces: readonly Piece[]): Content {
  if (size === 0) return EMPTY;
  const first = pieces[0];
  if (first !== undefined && first.start === 0 && first.bytes.length === size) return new BytesContent(first.bytes);
  return new PiecesContent(size, pieces);
}

/** All bytes of a content; a slice of the layer where it is in one piece. */
export function contentBytes(content: Content): Uint8Array {
  if (content instanceof BytesContent) return content.bytes;
  const out = new Uint8Array(content.size);
  for (let done = 0; done < out.length;) {
    const count = content.read(done, out, done, out.length - done);
    if (count === 0) return out.subarray(0, done);
    done += count;
  }
  return out;
}
