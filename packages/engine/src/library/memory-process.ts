// A WebAssembly program over files in memory as StartedProcess: a module, a script or a component in a worker of the pool, its streams with
// backpressure.
import { Readable } from "node:stream";
import { ERRNO, LapError, systemError } from "@lapstrake/base";
import { runWasm, type WasmExit, type WasmLimits } from "@lapstrake/wasm";
import type { UnionFs } from "@lapstrake/layers";
import { moduleNamed } from "./memory-program.ts";
import type { SandboxExit, StartedProcess } from "./process-types.ts";

/** One program to run. */
export interface MemoryRun {
  readonly fs: UnionFs;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly hasStdin: boolean;
  readonly limits: WasmLimits;
}

/** Starts it; `done` is called at the end. Throws `ERR_LAP_WASM_…` for what is no program. */
export function startMemory(run: MemoryRun, done: () => void): StartedProcess {
  const input = new InputQueue();
  if (!run.hasStdin) input.end();
  const stdout = new SinkReadable();
  const stderr = new SinkReadable();
  const stop = new AbortController();
  let killedBy: number | undefined;
  const exited = guest(run, input, stdout, stderr, stop.signal).then((exit) => exitOf(exit, killedBy));
  const ended = exited.finally(() => {
    for (const stream of [stdout, stderr]) stream.push(null);
    input.close();
    done();
  });
  return {
    stdout,
    stderr,
    exited: ended,
    writeStdin: (chunk) => input.write(chunk),
    endStdin: () => input.end(),
    kill(signal) {
      killedBy ??= signal;
      stop.abort();
    },
    finish: () => Promise.resolve(),
  };
}

async function guest(
  run: MemoryRun,
  input: InputQueue,
  stdout: SinkReadable,
  stderr: SinkReadable,
  signal: AbortSignal,
): Promise<WasmExit> {
  const { fs, args, env, cwd, limits } = run;
  const module = await moduleNamed(fs, args[0] ?? "", cwd, env["PATH"], limits.memoryBytes);
  return runWasm({
    ...{ fs, args, env, cwd, limits, module, signal },
    stdin: input,
    stdout: (chunk) => stdout.accept(chunk),
    stderr: (chunk) => stderr.accept(chunk),
  });
}

function exitOf(exit: WasmExit, killedBy: number | undefined): SandboxExit {
  if (killedBy !== undefined && exit.reason === "signal") {
    return { exitCode: 128 + killedBy, signal: killedBy, oomKilled: false };
  }
  const timedOut = exit.error instanceof LapError && exit.error.code === "ERR_LAP_WASM_TIMEOUT";
  return { exitCode: exit.exitCode, signal: exit.signal, oomKilled: false, timedOut };
}

/** A Readable that somebody else fills: {@link accept} resolves when there is room again. */
class SinkReadable extends Readable {
  #wake: (() => void) | undefined;

  override _read(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this._read();
    callback(error);
  }

  accept(chunk: Uint8Array): void | Promise<void> {
    if (this.destroyed || this.push(chunk)) return;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Input on its way to a guest, a chunk at a time. */
class InputQueue implements AsyncIterable<Uint8Array> {
  #chunks: { readonly chunk: Uint8Array; readonly taken: (error?: Error) => void }[] = [];
  #wake: (() => void) | undefined;
  #isEnded = false;
  #isClosed = false;

  write(chunk: Uint8Array): Promise<void> {
    if (this.#isClosed) return Promise.reject(systemError(ERRNO.EPIPE, "write"));
    return new Promise((resolve, reject) => {
      this.#chunks.push({ chunk, taken: (error) => (error === undefined ? resolve() : reject(error)) });
      this.#wake?.();
    });
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** Nobody reads any more. */
  close(): void {
    this.#isClosed = true;
    for (const { taken } of this.#chunks.splice(0)) taken(systemError(ERRNO.EPIPE, "write"));
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const next = this.#chunks.shift();
      if (next !== undefined) {
        yield next.chunk;
        next.taken();
      } else if (this.#isEnded) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
