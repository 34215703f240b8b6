// A byte pipe in shared memory: one side blocks (a guest in its thread), the other may be async (the thread that started it).
// Counters only grow and wrap at 2^32: written - read is what is inside. Word 2: 1 no more writes, 2 nobody reads.
import { ERRNO, fsError } from "@lapstrake/base";
import type { GuestInput, GuestOutput, StreamKind } from "./ports.ts";

const WRITTEN = 0;
const READ = 1;
const STATE = 2;
const HEADER_BYTES = 16;
const WRITER_CLOSED = 1;
const READER_CLOSED = 2;
/** As large as a Linux pipe. */
const DEFAULT_CAPACITY = 65_536;

/** What travels to the other thread. */
export interface RingShare {
  readonly buffer: SharedArrayBuffer;
  readonly kind: StreamKind;
}

export class Ring {
  readonly share: RingShare;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;

  constructor(share: RingShare) {
    this.share = share;
    this.#words = new Int32Array(share.buffer, 0, HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(share.buffer, HEADER_BYTES);
  }

  /** A new ring; `capacity` in bytes. */
  static create(kind: StreamKind, capacity: number = DEFAULT_CAPACITY): Ring {
    return new Ring({ buffer: new SharedArrayBuffer(HEADER_BYTES + capacity), kind });
  }

  /** Bytes inside. */
  get #filled(): number {
    return (Atomics.load(this.#words, WRITTEN) - Atomics.load(this.#words, READ)) >>> 0;
  }

  get writerClosed(): boolean {
    return (Atomics.load(this.#words, STATE) & WRITER_CLOSED) !== 0;
  }

  get readerClosed(): boolean {
    return (Atomics.load(this.#words, STATE) & READER_CLOSED) !== 0;
  }

  /** Bytes taken out without waiting. */
  take(into: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#filled);
    let at = (Atomics.load(this.#words, READ) >>> 0) % this.#bytes.length;
    for (let done = 0; done < count;) {
      const part = Math.min(count - done, this.#bytes.length - at);
      into.set(this.#bytes.subarray(at, at + part), offset + done);
      done += part;
      at = (at + part) % this.#bytes.length;
    }
    this.#advance(READ, count);
    return count;
  }

  /** Bytes put in without waiting. */
  put(from: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#bytes.length - this.#filled);
    let at = (Atomics.load(this.#words, WRITTEN) >>> 0) % this.#bytes.length;
    for (let done = 0; done < count;) {
      const part = Math.min(count - done, this.#bytes.length - at);
      this.#bytes.set(from.subarray(offset + done, offset + done + part), at);
      done += part;
      at = (at + part) % this.#bytes.length;
    }
    this.#advance(WRITTEN, count);
    return count;
  }

  #advance(word: number, count: number): void {
    if (count === 0) return;
    Atomics.add(this.#words, word, count);
    Atomics.notify(this.#words, word);
  }

  closeWriter(): void {
    this.#close(WRITER_CLOSED, WRITTEN);
  }

  closeReader(): void {
    this.#close(READER_CLOSED, READ);
  }

  /** The other side may be waiting on a counter: adding 0 and notifying makes it look again. */
  #close(flag: number, word: number): void {
    Atomics.or(this.#words, STATE, flag);
    Atomics.notify(this.#words, word);
  }

  /** The blocking reading side; `demand` is called once, before the first look. */
  input(demand?: () => void): GuestInput {
    let asked = false;
    const ask = (): void => {
      if (!asked) demand?.();
      asked = true;
    };
    const ready = (): number => {
      ask();
      const filled = this.#filled;
      return filled > 0 ? filled : this.writerClosed && this.#filled === 0 ? -1 : 0;
    };
    const wait = (ms: number): void => {
      ask();
      this.#block(WRITTEN, () => ready() !== 0, ms);
    };
    return {
      kind: this.share.kind,
      ready,
      wait,
      read: (into, offset, length) => {
        if (length === 0) return 0;
        wait(Number.POSITIVE_INFINITY);
        return this.take(into, offset, length);
      },
      close: () => this.closeReader(),
    };
  }

  /** The blocking writing side: EPIPE once nobody reads. */
  output(): GuestOutput {
    return {
      kind: this.share.kind,
      write: (from, offset, length) => {
        if (length === 0) return 0;
        this.#block(READ, () => this.readerClosed || this.#filled < this.#bytes.length, Number.POSITIVE_INFINITY);
        if (this.readerClosed) throw fsError(ERRNO.EPIPE);
        return this.put(from, offset, length);
      },
      close: () => this.closeWriter(),
    };
  }

  /** Waits on a counter until `done` or `ms` have passed. Closing does not change the counter, so waits are cut in slices. */
  #block(word: number, done: () => boolean, ms: number): void {
    const until = performance.now() + ms;
    for (;;) {
      const seen = Atomics.load(this.#words, word);
      const left = until - performance.now();
      if (done() || left <= 0) return;
      Atomics.wait(this.#words, word, seen, Math.min(left, SLICE_MS));
    }
  }

  /** Resolves when the counter of the other side has moved, or a slice of time has passed. */
  async #changed(word: number, done: () => boolean): Promise<void> {
    while (!done()) {
      const seen = Atomics.load(this.#words, word);
      if (done()) return;
      const { value } = Atomics.waitAsync(this.#words, word, seen, SLICE_MS);
      await value;
    }
  }

  /** The asynchronous writing side: resolves when all is inside, false when nobody reads any more. */
  async write(bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length;) {
      await this.#changed(READ, () => this.readerClosed || this.#filled < this.#bytes.length);
      if (this.readerClosed) return false;
      at += this.put(bytes, at, bytes.length - at);
    }
    return true;
  }

  /** The asynchronous reading side: chunks until the writer closes. */
  async *chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (;;) {
      await this.#changed(WRITTEN, () => this.#filled > 0 || this.writerClosed);
      const filled = this.#filled;
      if (filled === 0) return;
      const chunk = new Uint8Array(filled);
      this.take(chunk, 0, filled);
      yield chunk;
    }
  }
}

/** Longest wait between two looks at the closing flags. */
const SLICE_MS = 100;
