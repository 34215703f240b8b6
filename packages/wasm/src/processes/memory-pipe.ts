// A pipe between guests of one thread. They run one after the other, so what is written stays in memory until it is read.
import { ERRNO, fsError } from "@lapstrake/base";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { ProcRaise } from "../p1/process.ts";

/** A writer that nobody reads yet is ended (SIGPIPE) beyond this: it may write for ever. */
const CAPACITY = 64 * 1024 * 1024;
const SIGPIPE = 13;

/** Small writes share a block of this: one that writes byte by byte must not cost an object each. */
const BLOCK = 16_384;

/** `bytes[0, length)` was written; the rest is room. */
interface Block {
  readonly bytes: Uint8Array;
  length: number;
}

/** Both ends of a pipe. */
export class MemoryPipe {
  #chunks: Block[] = [];
  /** Bytes of the first chunk already read. */
  #taken = 0;
  #size = 0;
  #writerClosed = false;
  #readerClosed = false;
  /** Lets the program that writes here run, when a reader finds nothing. */
  onStarve: (() => void) | undefined;

  readonly input: GuestInput = {
    kind: "pipe",
    read: (into, offset, length) => this.#read(into, offset, length),
    ready: () => {
      if (this.#size === 0 && !this.#writerClosed) this.#starve();
      return this.#size > 0 ? this.#size : -1;
    },
    wait: () => undefined,
    close: () => {
      this.#readerClosed = true;
      this.#chunks = [];
      this.#size = 0;
    },
  };

  readonly output: GuestOutput = {
    kind: "pipe",
    write: (from, offset, length) => this.#write(from, offset, length),
    close: () => {
      this.#writerClosed = true;
    },
  };

  #starve(): void {
    const wake = this.onStarve;
    this.onStarve = undefined;
    wake?.();
  }

  /** With nothing left, the end: whoever writes has run, or waits for this reader. */
  #read(into: Uint8Array, offset: number, length: number): number {
    if (this.#size === 0) this.#starve();
    const first = this.#chunks[0];
    if (first === undefined) return 0;
    const part = first.bytes.subarray(this.#taken, Math.min(this.#taken + length, first.length));
    into.set(part, offset);
    this.#taken += part.length;
    this.#size -= part.length;
    if (this.#taken === first.length) {
      this.#chunks.shift();
      this.#taken = 0;
    }
    return part.length;
  }

  #write(from: Uint8Array, offset: number, length: number): number {
    if (this.#readerClosed) throw fsError(ERRNO.EPIPE);
    if (this.#size + length > CAPACITY) throw new ProcRaise(SIGPIPE);
    this.#append(from.subarray(offset, offset + length));
    this.#size += length;
    return length;
  }

  #append(bytes: Uint8Array): void {
    const last = this.#chunks.at(-1);
    const fits = last !== undefined && last.bytes.length - last.length >= bytes.length;
    const block = fits ? last : { bytes: new Uint8Array(Math.max(BLOCK, bytes.length)), length: 0 };
    block.bytes.set(bytes, block.length);
    block.length += bytes.length;
    if (!fits && bytes.length > 0) this.#chunks.push(block);
  }
}
