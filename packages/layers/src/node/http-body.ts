// Bodies of HTTP messages: one is written at the pace of the socket, the other read at the pace of its reader.
import type { ClientRequest, IncomingMessage } from "node:http";
import { httpError } from "./http-errors.ts";
import type { Guard } from "./http-guard.ts";

/** An unread rest up to this size is read away to keep the connection; a longer one costs the connection, bytes. */
const KEEP_BYTES: number = 64 * 1024;
const DRAIN_MS = 1000;

/** The body of a response. An iterator of its own, not a generator: ending one that was never started must free the connection. */
export class ResponseBody implements AsyncIterableIterator<Uint8Array> {
  readonly #outgoing: ClientRequest;
  readonly #incoming: IncomingMessage;
  readonly #guard: Guard;
  readonly #host: string;
  #chunks: AsyncIterator<Uint8Array> | undefined;

  constructor(outgoing: ClientRequest, incoming: IncomingMessage, guard: Guard, host: string) {
    this.#outgoing = outgoing;
    this.#incoming = incoming;
    this.#guard = guard;
    this.#host = host;
    incoming.on("error", () => guard.end()); // told to the reader by next(); without a listener it would end the process
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#chunks ??= this.#incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#guard.awaitChunk();
    try {
      const { done, value } = await this.#chunks.next();
      if (done === true) return this.#ended();
      this.#guard.chunk(value.length);
      return { done: false, value };
    } catch (error) {
      this.#close();
      throw this.#guard.reason ?? httpError(error as Error, this.#host);
    }
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    const rest = Number(this.#incoming.headers["content-length"] ?? Number.NaN);
    const mayKeep = this.#chunks === undefined && this.#outgoing.writableFinished && !(rest > KEEP_BYTES);
    if (mayKeep) this.#drain();
    else this.#close();
    return Promise.resolve({ done: true, value: undefined });
  }

  #ended(): IteratorResult<Uint8Array, undefined> {
    this.#guard.end();
    if (!this.#outgoing.writableFinished) this.#outgoing.destroy(); // answered early: the rest of our body is not wanted
    return { done: true, value: undefined };
  }

  /** Reads a short rest away in the background, for a moment. */
  #drain(): void {
    let rest = 0;
    this.#guard.step("draining", DRAIN_MS);
    this.#incoming.on("data", (chunk: Uint8Array) => {
      rest += chunk.length;
      if (rest > KEEP_BYTES) this.#close();
    });
    this.#incoming.once("end", () => this.#guard.end());
  }

  #close(): void {
    this.#guard.end();
    this.#incoming.destroy();
    this.#outgoing.destroy();
  }
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.once("drain", done);
    outgoing.once("close", done);
  });
}

/** Writes a request's body and ends it; stops when the answer comes early. An error of the body breaks the request off as it is. */
export async function sendBody(
  outgoing: ClientRequest,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  guard: Guard,
): Promise<void> {
  try {
    for await (const chunk of body) {
      if (guard.isAnswered || outgoing.destroyed) return;
      if (outgoing.write(chunk)) continue;
      guard.step("sending the body", guard.timeouts.idleMs);
      await drained(outgoing);
      if (!guard.isAnswered) guard.rest();
    }
    if (!guard.isAnswered) outgoing.end();
  } catch (error) {
    guard.fail(error as Error);
  }
}
