// A pipe between guests of one thread: bounded, with both ends usable by coroutines (they wait by promises) and, as far as
// nothing must be waited for, by plain synchronous host calls. pipe(7) is the model.
import { ERRNO, fsError } from "@lapstrake/base";
import type { GuestInput, GuestOutput } from "../io/ports.ts";

/** What pipe(7) has. */
const CAPACITY = 65_536;

/** An input that a coroutine can wait for without stopping its thread. */
export interface WaitingInput extends GuestInput {
  /** Undefined when a read would give something (or the end) now. */
  whenReadable(): Promise<void> | undefined;
}

/** An output that a coroutine can wait for without stopping its thread. */
export interface WaitingOutput extends GuestOutput {
  /** Undefined when a write would take something (or fail) now. */
  whenWritable(): Promise<void> | undefined;
}

/** One pipe. */
export class Pipe {
  readonly reader: WaitingInput;
  readonly writer: WaitingOutput;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #readerOpen = true;
  #writerOpen = true;
  #waiting: (() => void)[] = [];

  constructor() {
    this.reader = {
      kind: "pipe",
      read: (into, offset, length) => this.#read(into, offset, length),
      ready: () => this.#ready(),
      wait: () => this.#mustNotWait(this.#ready() === 0),
      whenReadable: () => (this.#ready() === 0 ? this.#change() : undefined),
      close: () => this.#close("reader"),
    };
    this.writer = {
      kind: "pipe",
      write: (from, offset, length) => this.#write(from, offset, length),
      whenWritable: () => (this.#full() ? this.#change() : undefined),
      close: () => this.#close("writer"),
    };
  }

  #ready(): number {
    return this.#bytes > 0 ? this.#bytes : this.#writerOpen ? 0 : -1;
  }

  #full(): boolean {
    return this.#readerOpen && this.#bytes >= CAPACITY;
  }

  /** The other end lives in the same thread: waiting for it here would be for ever. */
  #mustNotWait(waits: boolean): void {
    if (waits) throw fsError(ERRNO.EDEADLK);
  }

  #read(into: Uint8Array, offset: number, length: number): number {
    this.#mustNotWait(length > 0 && this.#ready() === 0);
    const head = this.#chunks[0];
    if (head === undefined) return 0;
    const part = head.subarray(0, length);
    into.set(part, offset);
    if (part.length === head.length) this.#chunks.shift();
    else this.#chunks[0] = head.subarray(part.length);
    this.#bytes -= part.length;
    this.#wake();
    return part.length;
  }

  #write(from: Uint8Array, offset: number, length: number): number {
    if (!this.#readerOpen) throw fsError(ERRNO.EPIPE);
    this.#mustNotWait(length > 0 && this.#full());
    const room = Math.min(length, CAPACITY - this.#bytes);
    if (room > 0) this.#chunks.push(from.slice(offset, offset + room));
    this.#bytes += room;
    this.#wake();
    return room;
  }

  #close(end: "reader" | "writer"): void {
    if (end === "reader") this.#readerOpen = false;
    else this.#writerOpen = false;
    this.#wake();
  }

  /** Resolves when anything about this pipe changes; the waiter looks again. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
