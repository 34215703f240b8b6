// Bodies of wasi:http 0.2 as its streams: incoming ones are read ahead by a chunk, outgoing ones are a bounded queue.
import { HttpFailure, type HttpBody, type HttpHeaders } from "../../http/exchange.ts";
import type { ComponentHost } from "../host.ts";
import { InputStream, OutputStream, StreamFailure } from "../streams.ts";
import { PromisePollable } from "./poll.ts";

const CLOSED = { tag: "closed" } as const;
/** Bytes of an outgoing body that may wait. */
const ROOM = 65_536;

/** wasi:io/error of a body: wasi:http knows its code. */
export class BodyFailure extends StreamFailure {
  readonly failure: HttpFailure;
  constructor(failure: HttpFailure) {
    super(failure.tag);
    this.failure = failure;
  }
}

function failureOf(error: unknown): HttpFailure {
  return error instanceof HttpFailure ? error : new HttpFailure("internal-error", String(error), undefined);
}

/** The stream of an incoming body. */
export class BodyInput extends InputStream {
  readonly #host: ComponentHost;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #left: Uint8Array = new Uint8Array(0);
  #ended = false;
  #failure: HttpFailure | undefined;
  #filling: Promise<void> | undefined;

  constructor(host: ComponentHost, body: HttpBody) {
    super(host, { kind: "pipe", read: () => 0, ready: () => -1, wait: () => undefined });
    this.#host = host;
    this.#chunks = body.chunks[Symbol.asyncIterator]();
  }

  #fill(): Promise<void> {
    this.#filling ??= this.#next().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #next(): Promise<void> {
    try {
      const { done, value } = await this.#chunks.next();
      if (done === true) this.#ended = true;
      else this.#left = value;
    } catch (error) {
      this.#failure = failureOf(error);
    }
  }

  get #ready(): boolean {
    return this.#left.length > 0 || this.#ended || this.#failure !== undefined;
  }

  override read(length: bigint): Uint8Array {
    if (this.#failure !== undefined) throw { tag: "last-operation-failed", val: new BodyFailure(this.#failure) };
    if (this.#left.length === 0) {
      if (this.#ended) throw CLOSED;
      void this.#fill();
      return this.#left;
    }
    const take = length > BigInt(this.#left.length) ? this.#left.length : Number(length);
    const out = this.#left.subarray(0, take);
    this.#left = this.#left.subarray(take);
    return out;
  }

  // jco awaits what this import gives; the class above is synchronous.
  override blockingRead(length: bigint): Uint8Array {
    return this.#blockingRead(length) as unknown as Uint8Array;
  }

  async #blockingRead(length: bigint): Promise<Uint8Array> {
    while (!this.#ready) await this.#fill();
    return this.read(length);
  }

  override blockingSkip(length: bigint): bigint {
    return this.#blockingRead(length).then((bytes) => BigInt(bytes.length)) as unknown as bigint;
  }

  override subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#ready,
      () => this.#fill(),
    );
  }

  override [Symbol.dispose](): void {
    void this.#chunks.return?.();
  }
}

/** An outgoing body: written by the guest, read by whoever sends it. */
export class BodyQueue implements HttpBody {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended: "no" | "yes" | HttpFailure = "no";
  #waiting: (() => void)[] = [];
  readonly trailers: Promise<HttpHeaders | undefined>;
  #settleTrailers: (trailers: HttpHeaders | undefined) => void = () => undefined;

  constructor() {
    this.trailers = new Promise((resolve) => {
      this.#settleTrailers = resolve;
    });
  }

  get room(): number {
    return Math.max(0, ROOM - this.#bytes);
  }

  /** Resolves at the next change. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    this.#wake();
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#ended === "no") this.#ended = "yes";
    this.#settleTrailers(trailers);
    this.#wake();
  }

  fail(failure: HttpFailure): void {
    if (this.#ended === "no") this.#ended = failure;
    this.#wake();
  }

  get chunks(): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => ({ next: () => this.#next(), return: () => this.#stop() }) };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const value = this.#chunks.shift();
      if (value !== undefined) {
        this.#bytes -= value.length;
        this.#wake();
        return { done: false, value };
      }
      if (this.#ended instanceof HttpFailure) throw this.#ended;
      if (this.#ended === "yes") return { done: true, value: undefined };
      await this.change();
    }
  }

  /** Nobody reads on: the guest's writes fail. */
  #stop(): Promise<IteratorResult<Uint8Array>> {
    this.fail(new HttpFailure("connection-terminated", "the connection is gone"));
    return Promise.resolve({ done: true, value: undefined });
  }

  get closed(): boolean {
    return this.#ended !== "no";
  }
}

/** The stream of an outgoing body. */
export class BodyOutput extends OutputStream {
  readonly #host: ComponentHost;
  readonly #queue: BodyQueue;

  constructor(host: ComponentHost, queue: BodyQueue) {
    super(host, { kind: "pipe", write: (_from, _offset, length) => length });
    this.#host = host;
    this.#queue = queue;
  }

  override checkWrite(): bigint {
    if (this.#queue.closed) throw CLOSED;
    return BigInt(this.#queue.room);
  }

  override write(contents: Uint8Array): void {
    this.#host.interrupt.check();
    if (this.#queue.closed) throw CLOSED;
    if (contents.length > 0) this.#queue.push(contents.slice());
  }

  override flush(): void {
    if (this.#queue.closed) throw CLOSED;
  }

  override blockingFlush(): void {
    return this.#drained() as unknown as void;
  }

  override blockingWriteAndFlush(contents: Uint8Array): void {
    this.write(contents);
    return this.#drained() as unknown as void;
  }

  override blockingWriteZeroesAndFlush(length: bigint): void {
    this.writeZeroes(length);
    return this.#drained() as unknown as void;
  }

  /** A head must be sent before a body is read, so waiting for all of it could be for ever: half is enough. */
  async #drained(): Promise<void> {
    while (this.#queue.room < ROOM / 2 && !this.#queue.closed) await this.#queue.change();
  }

  override subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#queue.room > 0 || this.#queue.closed,
      () => this.#queue.change(),
    );
  }

  override [Symbol.dispose](): void {
    // The body ends by its own finish, not with this stream.
  }
}
