// The library's one call: runs a program over a filesystem, in this thread or in a worker of the pool.
import { LapError } from "@lapstrake/base";
import { UnionFs, type InodeFs } from "@lapstrake/layers";
import { bytesInput, chunkOutput } from "../io/buffers.ts";
import type { WasmModule } from "../webassembly.ts";
import { compileModule } from "./compile.ts";
import type { WasmExit } from "./exit.ts";
import { Interrupt, REASON } from "./interrupt.ts";
import { runModule, runNamed, type ModuleRun, type WasmLimits } from "./run-module.ts";

/** What a guest's output is handed to; a promise makes a guest in a worker wait for it. */
export type OutputSink = (chunk: Uint8Array) => void | Promise<void>;

/** A program and what it runs on. */
export interface WasmRun {
  /** Changes land here. From a worker they arrive when the guest has ended; until then nobody else may change it. */
  readonly fs: InodeFs;
  /**
   * A core module: bytes, or compiled before (then `limits.memoryBytes` was applied by `compileModule`). Absent: what `args[0]` names in
   * `fs`, along PATH: a module, a script or the built-in `sh`, in a worker components too.
   */
  readonly module?: Uint8Array<ArrayBuffer> | WasmModule | undefined;
  /** argv; default the name "guest" alone. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute; default "/". */
  readonly cwd?: string;
  /** Default: empty. */
  readonly stdin?: Uint8Array | string | AsyncIterable<Uint8Array>;
  /** Without it, the result has the bytes. */
  readonly stdout?: OutputSink;
  readonly stderr?: OutputSink;
  /** Ends the guest; its changes are lost when it has to be killed. */
  readonly signal?: AbortSignal;
  readonly limits?: WasmLimits;
  /** `worker` (default, Node only): a thread of the pool. `thread`: here, blocking; the fastest, and the only one in browsers. */
  readonly placement?: "thread" | "worker";
}

/** How it ended, and what was written where no sink was given. */
export interface WasmResult extends WasmExit {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** Runs to the end. Exits, traps and limits are values; unusable modules and an aborted signal are thrown. */
export async function runWasm(run: WasmRun): Promise<WasmResult> {
  run.signal?.throwIfAborted();
  const module = run.module instanceof Uint8Array ? compileModule(run.module, run.limits?.memoryBytes) : run.module;
  if ((run.placement ?? "worker") === "thread") return runHere(run, module);
  if (!(run.fs instanceof UnionFs)) throw needsUnion();
  const { runInPool } = await import("../node/run-in-pool.ts");
  return runInPool({ ...run, fs: run.fs }, module);
}

function needsUnion(): LapError {
  return new LapError("invalidArgument", "ERR_LAP_WASM_PLACEMENT", "a worker can only take a UnionFs", {
    hint: 'run with placement: "thread", or build the filesystem with UnionFs.create',
  });
}

function cpuNeedsWorker(): LapError {
  return new LapError("unimplemented", "ERR_LAP_WASM_PLACEMENT", "limits.cpuMs needs a worker", {
    hint: 'use limits.timeoutMs, or placement: "worker"',
  });
}

async function runHere(run: WasmRun, module: WasmModule | undefined): Promise<WasmResult> {
  if (run.limits?.cpuMs !== undefined) throw cpuNeedsWorker();
  const out = new Collector(run.stdout);
  const err = new Collector(run.stderr);
  const interrupt = new Interrupt();
  const onAbort = (): void => interrupt.raise(REASON.terminated);
  run.signal?.addEventListener("abort", onAbort);
  const common = {
    fs: run.fs,
    args: run.args ?? ["guest"],
    env: { PWD: run.cwd ?? "/", ...run.env },
    cwd: run.cwd ?? "/",
    stdin: bytesInput(await allBytes(run.stdin)),
    stdout: chunkOutput((chunk) => out.takeNow(chunk)),
    stderr: chunkOutput((chunk) => err.takeNow(chunk)),
    interrupt,
    ...(run.limits === undefined ? {} : { limits: run.limits }),
    guard: await timeGuard(run.limits?.timeoutMs),
  };
  const exit = module === undefined ? runNamed(common) : runModule({ ...common, module });
  run.signal?.removeEventListener("abort", onAbort);
  await Promise.all([out.settled(), err.settled()]);
  return { ...exit, stdout: out.bytes(), stderr: err.bytes() };
}

/** Only Node can break off a guest in its own thread. */
async function timeGuard(timeoutMs: number | undefined): Promise<ModuleRun["guard"]> {
  if (timeoutMs === undefined) return undefined;
  if (!("process" in globalThis)) {
    throw new LapError("unimplemented", "ERR_LAP_WASM_PLACEMENT", "a time limit in this thread needs Node", {
      hint: "run the guest in a Web Worker and terminate it",
    });
  }
  const { guarded } = await import("../node/guard.ts");
  return (call, interrupt) => guarded(call, interrupt, { timeoutMs });
}

/** Hands chunks on, or keeps them. */
export class Collector {
  readonly #sink: OutputSink | undefined;
  readonly #chunks: Uint8Array[] = [];
  readonly #promised: Promise<void>[] = [];

  constructor(sink: OutputSink | undefined) {
    this.#sink = sink;
  }

  readonly take = (chunk: Uint8Array): void | Promise<void> => {
    if (this.#sink !== undefined) return this.#sink(chunk);
    this.#chunks.push(chunk);
  };

  /** In the guest's own thread nothing can wait: what the sink promised is waited for at the end. */
  takeNow(chunk: Uint8Array): void {
    const promised = this.take(chunk);
    if (promised !== undefined) this.#promised.push(promised);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#promised);
  }

  bytes(): Uint8Array {
    return join(this.#chunks);
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** All of stdin: a guest in this thread cannot wait for a stream. */
async function allBytes(stdin: WasmRun["stdin"]): Promise<Uint8Array> {
  if (stdin === undefined) return new Uint8Array(0);
  if (typeof stdin === "string") return new TextEncoder().encode(stdin);
  if (stdin instanceof Uint8Array) return stdin;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(chunk);
  return join(chunks);
}
