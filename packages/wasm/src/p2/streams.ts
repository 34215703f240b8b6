// wasi:io/error and wasi:io/streams 0.2: byte streams over stdio and files.
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { codeOf } from "./errors.ts";
import type { ComponentHost, Interface } from "./host.ts";
import { Pollable, readyPollable } from "./poll.ts";

/** Most bytes one read gives: the guest may ask for 2^64. */
const MAX_READ = 1024 * 1024;
/** What check-write promises. */
const WRITE_ROOM = 1024 * 1024;
const ZEROES = 4096;

/** wasi:io/error: a failed operation; filesystem errors keep their code. */
export class StreamFailure {
  readonly code: string;
  constructor(code: string) {
    this.code = code;
  }
  toDebugString(): string {
    return this.code;
  }
}

const CLOSED = { tag: "closed" } as const;

function failed<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = codeOf(error);
    throw code === undefined
      ? error
      : code === "pipe"
        ? CLOSED
        : { tag: "last-operation-failed", val: new StreamFailure(code) };
  }
}

/** Reading side. */
export class InputStream {
  readonly #host: ComponentHost;
  readonly input: GuestInput;
  readonly #onDrop: () => void;

  constructor(host: ComponentHost, input: GuestInput, onDrop: () => void = () => undefined) {
    this.#host = host;
    this.input = input;
    this.#onDrop = onDrop;
  }

  /** What is there now; empty when nothing is. */
  read(length: bigint): Uint8Array {
    const ready = failed(() => this.input.ready());
    if (ready < 0) throw CLOSED;
    return ready === 0 || length === 0n ? new Uint8Array(0) : this.#take(length);
  }

  blockingRead(length: bigint): Uint8Array {
    if (length === 0n) return new Uint8Array(0);
    return this.#take(length);
  }

  #take(length: bigint): Uint8Array {
    this.#host.interrupt.check();
    const into = new Uint8Array(Math.min(Number(length), MAX_READ));
    const count = failed(() => this.input.read(into, 0, into.length));
    if (count === 0) throw CLOSED;
    return into.subarray(0, count);
  }

  skip(length: bigint): bigint {
    return BigInt(this.read(length).length);
  }

  blockingSkip(length: bigint): bigint {
    return BigInt(this.blockingRead(length).length);
  }

  subscribe(): Pollable {
    const { input } = this;
    return new Pollable(this.#host, { isReady: () => input.ready() !== 0, dueNs: undefined, input });
  }

  [Symbol.dispose](): void {
    this.#onDrop();
  }
}

/** Writing side: writes wait inside, so there is always room. */
export class OutputStream {
  readonly #host: ComponentHost;
  readonly #output: GuestOutput;
  readonly #onDrop: () => void;

  constructor(host: ComponentHost, output: GuestOutput, onDrop: () => void = () => undefined) {
    this.#host = host;
    this.#output = output;
    this.#onDrop = onDrop;
  }

  checkWrite(): bigint {
    return BigInt(WRITE_ROOM);
  }

  write(contents: Uint8Array): void {
    this.#host.interrupt.check();
    for (let at = 0; at < contents.length;) {
      at += failed(() => this.#output.write(contents, at, contents.length - at));
    }
  }

  blockingWriteAndFlush(contents: Uint8Array): void {
    this.write(contents);
  }

  flush(): void {
    this.#host.interrupt.check();
  }

  blockingFlush(): void {
    this.flush();
  }

  subscribe(): Pollable {
    return readyPollable(this.#host);
  }

  writeZeroes(length: bigint): void {
    const zeroes = new Uint8Array(ZEROES);
    for (let left = Number(length); left > 0; left -= ZEROES) this.write(zeroes.subarray(0, Math.min(left, ZEROES)));
  }

  blockingWriteZeroesAndFlush(length: bigint): void {
    this.writeZeroes(length);
  }

  splice(source: InputStream, length: bigint): bigint {
    const bytes = source.read(length);
    this.write(bytes);
    return BigInt(bytes.length);
  }

  blockingSplice(source: InputStream, length: bigint): bigint {
    const bytes = source.blockingRead(length);
    this.write(bytes);
    return BigInt(bytes.length);
  }

  [Symbol.dispose](): void {
    this.#onDrop();
  }
}

/** wasi:io/error. */
export const errorInterface: Interface = { Error: StreamFailure };
/** wasi:io/streams. */
export const streamsInterface: Interface = { InputStream, OutputStream };
