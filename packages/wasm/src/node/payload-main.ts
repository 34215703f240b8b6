// The process of a Wasm container, its main thread: takes signals and feeds stdin while the guest runs in a second thread.
//
//   main thread                               guest's thread (payload-thread.ts)
//     start ───────── ring, word, data ─────────▶ builds the filesystem, runs the guest
//     stdin ─────────────── ring ───────────────▶ fd 0
//     SIGTERM … ──── word + SIGINT ─────────────▶ broken off; the filesystem is still there and is saved
//     exit code ◀────────── message ───────────── done
import { writeSync } from "node:fs";
import { kill, pid } from "node:process";
import { constants } from "node:os";
import { Worker, type MessagePort } from "node:worker_threads";
import { LapError } from "@lapstrake/base";
import { Ring, type RingShare } from "../io/ring.ts";
import { Interrupt, REASON } from "../run/interrupt.ts";
import { ExecServer } from "./exec-server.ts";
import { BEAT, BEAT_MS, ENDING, SETTLE_MS } from "./payload-signals.ts";
import { watchCpu } from "./watch-cpu.ts";

/** What the guest's thread is started with. */
export interface PayloadThread {
  /** Module of the thread; it calls `servePayload`. */
  readonly file: string | URL;
  readonly argv?: readonly string[];
  /** Handed to the thread as it is (structured clone). */
  readonly data?: unknown;
  /** Where orders for further programs are taken: a path for a socket. */
  readonly execPath?: string | undefined;
}

/** Shared between both threads. */
export interface PayloadShare {
  readonly stdin: RingShare;
  /** Why to end, whether there are orders, and a count that shows that the thread is not computing. */
  readonly word: Int32Array<SharedArrayBuffer>;
  readonly data: unknown;
  readonly orders: MessagePort | undefined;
}

/** What the guest's thread tells. */
export type PayloadMessage =
  | { readonly kind: "stdin" }
  /** The guest may use that much processor time from now on. */
  | { readonly kind: "cpu"; readonly cpuMs: number }
  /** The guest answers requests, each in that time. */
  | { readonly kind: "serving"; readonly timeoutMs: number }
  /** The guest is no more; what it changed is being handed over. */
  | { readonly kind: "ended" }
  | { readonly kind: "done"; readonly exitCode: number };

/** A guest that was told to end has this long to do so. */
const KILL_MS = 2000;
const SIGNAL_BASE = 128;

/** Runs the payload to its end; resolves with the exit code, rejects when the thread failed. */
export async function runPayload(thread: PayloadThread): Promise<number> {
  for (;;) {
    const exitCode = await runThread(thread);
    if (exitCode !== undefined) return exitCode;
    writeSync(2, "lap: the guest computed past its time limit, and starts anew\n");
  }
}

/** One thread; undefined when its guest answered no more. */
async function runThread(thread: PayloadThread): Promise<number | undefined> {
  // The guest's thread finds out what descriptor 0 is: asking here would load Node's terminal code before the thread starts.
  const ring = Ring.create("pipe");
  const word = new Int32Array(new SharedArrayBuffer(12));
  using server = thread.execPath === undefined ? undefined : new ExecServer(thread.execPath, word);
  const share: PayloadShare = { stdin: ring.share, word, data: thread.data, orders: server?.port };
  const worker = new Worker(thread.file, {
    workerData: share,
    argv: [...(thread.argv ?? [])],
    stdin: false,
    transferList: server === undefined ? [] : [server.port],
  });
  let ending: number | undefined;
  let alive = true;
  using _signals = forwardSignals(new Interrupt(word), (signal) => {
    ending ??= signal;
    // A 0.3 guest that computes after its first wait notices nothing: its thread goes, and what it changed.
    setTimeout(() => alive && void worker.terminate(), KILL_MS).unref();
  });
  worker.on("message", ({ kind }: PayloadMessage) => (alive &&= kind !== "ended" && kind !== "done"));
  using _cpu = limitCpu(worker, word);
  using beat = new Heartbeat(word, worker);
  let fed = false;
  try {
    const onStdin = (): void => {
      fed = true;
      void feed(ring);
    };
    return await exitCodeOf(worker, beat, onStdin, () => ending);
  } finally {
    if (fed) process.stdin.destroy();
  }
}

function exitCodeOf(
  worker: Worker,
  beat: Heartbeat,
  onStdin: () => void,
  ending: () => number | undefined,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    worker.on("message", (message: PayloadMessage) => {
      if (message.kind === "stdin") onStdin();
      else if (message.kind === "serving") beat.watch(message.timeoutMs);
      else if (message.kind === "done") resolve(message.exitCode);
    });
    worker.on("error", reject);
    worker.on("exit", (code) => {
      const signal = ending();
      if (signal !== undefined) resolve(SIGNAL_BASE + signal);
      else if (beat.stopped) resolve(undefined);
      else reject(threadLost(code));
    });
  });
}

/** Breaks the guest off, as a signal does, when it has used what the thread says it may. */
function limitCpu(worker: Worker, word: Int32Array<SharedArrayBuffer>): Disposable {
  let timer: NodeJS.Timeout | undefined;
  worker.on("message", (message: PayloadMessage) => {
    if (message.kind !== "cpu") return;
    timer = watchCpu(worker, message.cpuMs, () => {
      new Interrupt(word).raise(REASON.cpu);
      kill(pid, "SIGINT");
    });
  });
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Ends a thread whose count stands still: its guest computes, and can be broken off by nothing else after its first wait. */
class Heartbeat implements Disposable {
  readonly #word: Int32Array;
  readonly #worker: Worker;
  #timer: NodeJS.Timeout | undefined;
  stopped = false;

  constructor(word: Int32Array, worker: Worker) {
    this.#word = word;
    this.#worker = worker;
  }

  watch(timeoutMs: number): void {
    let count = 0;
    let since = performance.now();
    this.#timer = setInterval(() => {
      const now = Atomics.load(this.#word, BEAT);
      if (now !== count) [count, since] = [now, performance.now()];
      if (this.stopped || performance.now() - since <= timeoutMs + BEAT_MS) return;
      this.stopped = true;
      void this.#worker.terminate();
    }, BEAT_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function threadLost(code: number): LapError {
  return new LapError("internal", "ERR_LAP_WASM_THREAD", `the guest's thread ended without a result (${code})`);
}

/** Copies this process's stdin into the ring, at the guest's pace. */
async function feed(ring: Ring): Promise<void> {
  try {
    for await (const chunk of process.stdin) if (!(await ring.write(chunk as Uint8Array))) break;
  } finally {
    ring.closeWriter();
  }
}

function forwardSignals(interrupt: Interrupt, onSignal: (signal: number) => void): Disposable {
  const handlers = ENDING.map((name) => {
    const handler = (): void => {
      interrupt.raise(REASON.signal + constants.signals[name]);
      onSignal(constants.signals[name]);
      kill(pid, "SIGINT");
    };
    process.on(name, handler);
    return { name, handler };
  });
  // Of two that arrive together the kernel delivers the lower number first: the one that SIGINT follows may be still to come.
  const onSigint = (): void => {
    setTimeout(() => {
      interrupt.raise(REASON.signal + constants.signals.SIGINT);
      onSignal(constants.signals.SIGINT);
    }, SETTLE_MS / 2).unref();
  };
  process.on("SIGINT", onSigint);
  return {
    [Symbol.dispose]() {
      for (const { name, handler } of handlers) process.off(name, handler);
      process.off("SIGINT", onSigint);
    },
  };
}
