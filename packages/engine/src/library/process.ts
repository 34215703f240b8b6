// A program that was started: await it for its result, or read its streams meanwhile. One shape for every sandbox: what differs is
// the function that starts it.
import { Readable, Writable } from "node:stream";
import { signalName, parseSignal } from "@lapstrake/core";
import { LapError } from "@lapstrake/base";
import { checkInput, feed, inputStream } from "./input.ts";
import { linesOf } from "./lines.ts";
import { OutputStream } from "./output.ts";
import { ProcessError } from "./process-error.ts";
import type { Encoding, Output, ProcessOptions, Result, SandboxExit, StartedProcess } from "./process-types.ts";

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const SIGKILL = 9;
const SIGPIPE = 13;

/** What a handler of `catch` is given: as a promise's, so that handlers may say what they expect. */
type Reason = Parameters<NonNullable<Parameters<Promise<unknown>["catch"]>[0]>>[0];

/** Starts the program; must leave nothing behind when it throws. */
export type StartProcess = (signal: AbortSignal | undefined) => Promise<StartedProcess>;

/** A started program. Awaiting it gives the {@link Result}; iterating over it gives lines of stdout; disposing it kills it. */
export class Process<E extends Encoding = "utf8"> implements PromiseLike<Result<Output<E>>>, AsyncDisposable {
  readonly args: readonly string[];
  readonly #options: ProcessOptions<E>;
  readonly #out: OutputStream;
  readonly #err: OutputStream;
  readonly #started: Promise<StartedProcess>;
  readonly #result: Promise<Result<Output<E>>>;
  readonly #beganAt: number = performance.now();
  #stdin: Writable | undefined;
  #timedOut = false;

  constructor(args: readonly string[], start: StartProcess, options: ProcessOptions<E>) {
    this.args = args;
    this.#options = options;
    const maxBytes = options.maxOutputBytes ?? MAX_OUTPUT_BYTES;
    this.#out = new OutputStream(maxBytes, () => this.#send(SIGPIPE));
    this.#err = new OutputStream(maxBytes, () => undefined);
    checkInput(options.stdin);
    this.#started = this.#begin(start);
    this.#result = this.#run();
    // Whoever awaits the result, or reads a stream, is told; a started program alone must not end the caller.
    this.#started.catch(() => undefined);
  }

  /** Standard output as a Node stream; it is then not collected. Take it before the first `await`. */
  get stdout(): Readable {
    this.#result.catch(() => undefined);
    return this.#out.take();
  }

  /** Standard error, likewise. */
  get stderr(): Readable {
    this.#result.catch(() => undefined);
    return this.#err.take();
  }

  /** Standard input, with `stdin: "pipe"`. Throws `ERR_LAP_NO_STDIN` without. */
  get stdin(): Writable {
    if (this.#options.stdin !== "pipe") {
      throw new LapError("failedPrecondition", "ERR_LAP_NO_STDIN", "the program was started without a pipe for input", {
        hint: 'start it with stdin: "pipe"',
      });
    }
    return (this.#stdin ??= inputStream(this.#started));
  }

  /** {@link stdout} as a web stream. With {@link writable} a pair for `pipeThrough`. */
  get readable(): ReadableStream<Uint8Array> {
    return Readable.toWeb(this.stdout) as ReadableStream<Uint8Array>;
  }

  /** {@link stdin} as a web stream. */
  get writable(): WritableStream<Uint8Array> {
    return Writable.toWeb(this.stdin) as WritableStream<Uint8Array>;
  }

  /** Sends a signal, by name or number. Throws `ERR_LAP_SIGNAL_INVALID`. */
  kill(signal: string | number = "SIGTERM"): void {
    const number = parseSignal(String(signal));
    if (number === undefined) {
      throw new LapError("invalidArgument", "ERR_LAP_SIGNAL_INVALID", `unknown signal "${signal}"`);
    }
    this.#send(number);
  }

  #send(signal: number): void {
    this.#started.then(
      (process) => process.kill(signal),
      () => undefined,
    );
  }

  /** Standard output without its last line end. Rejects with a {@link ProcessError} unless the exit code is 0. */
  async text(): Promise<string> {
    const { stdout } = await this.#success();
    return (typeof stdout === "string" ? stdout : new TextDecoder().decode(stdout)).replace(/\r?\n$/, "");
  }

  /** Its lines. */
  async lines(): Promise<string[]> {
    const text = await this.text();
    return text === "" ? [] : text.split("\n");
  }

  /** Parsed as JSON. */
  async json<T = unknown>(): Promise<T> {
    return JSON.parse(await this.text()) as T;
  }

  async #success(): Promise<Result<Output<E>>> {
    const result = await this.#result;
    if (!result.ok) throw new ProcessError(result);
    return result;
  }

  /** Lines of stdout as they come. Leaving the loop early ends the program as a closed pipe does. */
  [Symbol.asyncIterator](): AsyncIterableIterator<string> {
    return linesOf(this.stdout);
  }

  // oxlint-disable-next-line unicorn/no-thenable
  then<A = Result<Output<E>>, B = never>(
    onResult?: ((value: Result<Output<E>>) => A | PromiseLike<A>) | null,
    onError?: ((reason: Reason) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(onResult, onError);
  }

  catch<B>(onError: (reason: Reason) => B | PromiseLike<B>): Promise<Result<Output<E>> | B> {
    return this.#result.catch(onError);
  }

  finally(done: () => void): Promise<Result<Output<E>>> {
    return this.#result.finally(done);
  }

  /** Kills it and resolves when nothing of it is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#send(SIGKILL);
    this.#started.then(
      () => this.#letGo(new LapError("canceled", "ERR_LAP_DISPOSED", "the program was disposed of")),
      () => undefined,
    );
    await this.#result.catch(() => undefined);
  }

  async #begin(start: StartProcess): Promise<StartedProcess> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    // Nothing before the first await may start reading: the caller takes streams in this turn.
    await Promise.resolve();
    const process = await start(signal);
    this.#out.connect(process.stdout);
    this.#err.connect(process.stderr);
    return process;
  }

  async #run(): Promise<Result<Output<E>>> {
    let process: StartedProcess;
    try {
      process = await this.#started;
    } catch (error) {
      this.#fail(error as Error);
      throw error;
    }
    const exit = await this.#supervised(process);
    this.#stdin?.destroy();
    await process.finish();
    this.#options.signal?.throwIfAborted();
    const result = this.#settle(exit);
    if (this.#options.check === true && !result.ok) throw new ProcessError(result);
    return result;
  }

  async #supervised(process: StartedProcess): Promise<SandboxExit> {
    const { signal, timeoutMs, stdin } = this.#options;
    const abort = (): void => {
      process.kill(SIGKILL);
      this.#letGo(signal!.reason as Error);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#expire(process), timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    const fed = stdin === undefined || stdin === "pipe" ? undefined : feed(process, stdin);
    // A broken source ends the run; a program that ended does not wait for its source.
    fed?.catch((error: unknown) => {
      process.kill(SIGKILL);
      this.#letGo(error as Error);
    });
    try {
      const exit = await process.exited;
      // The streams hand over a turn later.
      await Promise.all([this.#out.drained(), this.#err.drained()]);
      await failed(fed);
      return exit;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  #expire(process: StartedProcess): void {
    this.#timedOut = true;
    process.kill(SIGKILL);
    this.#letGo();
  }

  #letGo(error?: Error): void {
    this.#out.letGo(error);
    this.#err.letGo(error);
  }

  #fail(error: Error): void {
    this.#letGo(error);
    this.#stdin?.destroy(error);
  }

  #settle({ exitCode, signal, oomKilled, timedOut }: SandboxExit): Result<Output<E>> {
    const encoding = (this.#options.encoding ?? "utf8") as E;
    return {
      ok: exitCode === 0,
      exitCode,
      signal: signal === undefined ? undefined : signalName(signal),
      stdout: this.#out.collected(encoding),
      stderr: this.#err.collected(encoding),
      truncated: this.#out.truncated || this.#err.truncated,
      oomKilled,
      timedOut: this.#timedOut || timedOut === true,
      durationMs: performance.now() - this.#beganAt,
      args: this.args,
    };
  }
}

/** Rejects when `work` has failed by now; does not wait for it. */
async function failed(work: Promise<void> | undefined): Promise<void> {
  if (work !== undefined) await Promise.race([work, Promise.resolve()]);
}
