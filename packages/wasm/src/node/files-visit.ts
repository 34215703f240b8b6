// The files of a container that runs, for whoever looks after it from outside of its sandbox. An order on the socket of exec holds the guest
// inside one of its host calls, so that what it changed is one moment's:
//
//   files-client.ts                          guest's thread
//     request { files } ────────────────────▶ at the guest's next call
//     tar of what it changed ◀─────────────── in pieces with their lengths, a length of 0 at the end
//     tar of what is to be changed ─────────▶ the same way, or nothing
//     exit code 0 ◀────────────────────────── put over the files; the guest goes on
import { treeFromTar, writeTar, type UnionFs } from "@lapstrake/layers";
import type { GuestInput } from "../io/ports.ts";
import type { Visit } from "./exec-visit.ts";

const LENGTH_BYTES = 4;
/** Longest piece: as long as the socket's frames may be, and some. */
const MAX_PIECE = 1 << 20;

/** The pieces with their lengths, and the end. */
export function* framed(tar: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  for (const chunk of tar) {
    for (let at = 0; at < chunk.length; at += MAX_PIECE) {
      const piece = chunk.subarray(at, at + MAX_PIECE);
      yield lengthOf(piece.length);
      yield piece;
    }
  }
  yield lengthOf(0);
}

function lengthOf(length: number): Uint8Array {
  const bytes = new Uint8Array(LENGTH_BYTES);
  new DataView(bytes.buffer).setUint32(0, length, true);
  return bytes;
}

/** Puts pieces together again, however they are cut. */
export class Pieces {
  readonly #pieces: Uint8Array[] = [];
  readonly #head: Uint8Array = new Uint8Array(LENGTH_BYTES);
  #headFilled = 0;
  #piece: Uint8Array | undefined;
  #filled = 0;
  /** Bytes of all pieces so far. */
  bytes = 0;
  /** The end was there. */
  complete = false;

  /** Throws a RangeError for what is none. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.complete) throw new RangeError("bytes after the end");
      at += this.#piece === undefined ? this.#takeHead(chunk, at) : this.#takePiece(this.#piece, chunk, at);
    }
  }

  #takeHead(chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + LENGTH_BYTES - this.#headFilled);
    this.#head.set(part, this.#headFilled);
    this.#headFilled += part.length;
    if (this.#headFilled < LENGTH_BYTES) return part.length;
    this.#headFilled = 0;
    const length = new DataView(this.#head.buffer).getUint32(0, true);
    if (length > MAX_PIECE) throw new RangeError(`a piece of ${length} bytes`);
    if (length === 0) this.complete = true;
    else this.#piece = new Uint8Array(length);
    return part.length;
  }

  #takePiece(piece: Uint8Array, chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + piece.length - this.#filled);
    piece.set(part, this.#filled);
    this.#filled += part.length;
    this.bytes += part.length;
    if (this.#filled < piece.length) return part.length;
    this.#pieces.push(piece);
    this.#piece = undefined;
    this.#filled = 0;
    return part.length;
  }

  whole(): Uint8Array {
    return this.#pieces.length === 1 ? this.#pieces[0]! : new Uint8Array(Buffer.concat(this.#pieces));
  }
}

/** Serves one such order in the guest's thread; the exit code. What comes to no end is not applied. */
export function serveFiles(fs: UnionFs, { stdin, stdout, stderr }: Visit): number {
  const say = (bytes: Uint8Array, to = stdout): void => {
    for (let done = 0; done < bytes.length;) done += to.write(bytes, done, bytes.length - done);
  };
  for (const bytes of framed(writeTar(fs.diffEntries()))) say(bytes);
  const pieces = new Pieces();
  readAll(stdin, (chunk) => pieces.push(chunk));
  if (!pieces.complete) return 0;
  try {
    fs.adopt(treeFromTar(pieces.whole()));
    return 0;
  } catch (error) {
    say(new TextEncoder().encode(error instanceof Error ? error.message : String(error)), stderr);
    return 1;
  }
}

function readAll(input: GuestInput, take: (chunk: Uint8Array) => void): void {
  const buffer = new Uint8Array(MAX_PIECE);
  for (let count = -1; count !== 0;) {
    count = input.read(buffer, 0, buffer.length);
    take(buffer.subarray(0, count));
  }
}
