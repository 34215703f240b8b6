// The clock of one request: one timer for the step it is in, one for the whole, and the caller's signal. Whatever fires first breaks
// the connection and is remembered as the reason, because the socket's own error afterwards tells nothing.
import { timeoutError } from "./http-errors.ts";
import type { HttpTimeouts } from "./http.ts";

/** See the head of this file. */
export class Guard {
  readonly timeouts: HttpTimeouts;
  readonly #host: string;
  readonly #breakOff: (reason: Error) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #total: NodeJS.Timeout;
  #step: NodeJS.Timeout | undefined;
  #reason: Error | undefined;
  #isAnswered = false;
  /** Waiting for a body: ms and bytes of the current window. */
  #waitedMs = 0;
  #bytes = 0;
  #since = 0;

  constructor(
    host: string,
    timeouts: HttpTimeouts,
    signal: AbortSignal | undefined,
    breakOff: (reason: Error) => void,
  ) {
    this.timeouts = timeouts;
    this.#host = host;
    this.#breakOff = breakOff;
    this.#signal = signal;
    this.#total = setTimeout(() => this.fail(timeoutError(host, "the transfer", timeouts.totalMs)), timeouts.totalMs);
    signal?.addEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.fail(this.#signal?.reason as Error);

  /** Why the request was broken off; undefined when it was not by us. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** True when the headers have come. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  answered(): void {
    this.#isAnswered = true;
    this.rest();
  }

  /** Begins a step that may take `ms`; it replaces the one before. */
  step(doing: string, ms: number): void {
    clearTimeout(this.#step);
    this.#step = setTimeout(() => this.fail(timeoutError(this.#host, doing, ms)), ms);
  }

  /** The step is done and nobody waits for the server. */
  rest(): void {
    clearTimeout(this.#step);
  }

  /** The reader waits for the next chunk of the body. */
  awaitChunk(): void {
    this.#since = performance.now();
    this.step("waiting for the body", this.timeouts.idleMs);
  }

  /** A chunk came; throws when the body has only been dripping for a whole window of waiting. */
  chunk(bytes: number): void {
    this.rest();
    this.#waitedMs += performance.now() - this.#since;
    this.#bytes += bytes;
    const { idleMs, minBytesPerSecond } = this.timeouts;
    if (this.#waitedMs < idleMs) return;
    const isDrip = (this.#bytes * 1000) / this.#waitedMs < minBytesPerSecond;
    this.#waitedMs = 0;
    this.#bytes = 0;
    if (isDrip) this.fail(timeoutError(this.#host, `a body of under ${minBytesPerSecond} bytes per second`, idleMs));
    if (this.#reason !== undefined) throw this.#reason;
  }

  /** Breaks the request off. */
  fail(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.end();
    this.#breakOff(reason);
  }

  /** Nothing of the request is left. */
  end(): void {
    clearTimeout(this.#step);
    clearTimeout(this.#total);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
