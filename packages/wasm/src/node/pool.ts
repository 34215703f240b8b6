// Guests in threads that wait for them: a run takes a warm worker, and a worker that had to be killed is replaced.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { LapError } from "@lapstrake/base";
import { forgetOldest, type Job, type JobDone } from "./pool-job.ts";

/** Idle workers kept for the next runs. */
const KEEP = 2;
/** A guest that is to end and does not by itself within this time is killed with its thread. */
const GRACE_MS = 20;

/** One thread, and the layers it has seen. */
interface Slot {
  readonly worker: Worker;
  readonly bases: Set<number>;
}

const idle: Slot[] = [];

/** Starts workers ahead of need, up to `count` idle ones. */
export function warmPool(count: number = KEEP): void {
  while (idle.length < count) idle.push(start());
}

/** Ends all idle workers; the process may exit without it. */
export async function closePool(): Promise<void> {
  await Promise.all(idle.splice(0).map(({ worker }) => worker.terminate()));
}

function start(): Slot {
  const file = workerFile();
  const execArgv = file.endsWith(".ts")
    ? ["--conditions=@lapstrake/source", "--disable-warning=ExperimentalWarning"]
    : [];
  const worker = new Worker(file, { execArgv });
  worker.unref();
  return { worker, bases: new Set() };
}

/** The worker's file stands beside this one, in the sources and when built. */
function workerFile(): string {
  const names = ["./pool-worker.ts", "./pool-worker.js", "./node/pool-worker.js", "../node/pool-worker.js"];
  const files = names.map((name) => fileURLToPath(new URL(name, import.meta.url)));
  const found = files.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new LapError("internal", "ERR_LAP_WASM_THREAD", "the worker of the wasm package is missing", {
    hint: 'bundlers must keep pool-worker.js beside the bundle; or run with placement: "thread"',
  });
}

/** Runs one job; `base.tree` is asked for only when the worker has not seen it. Killed workers give undefined. */
export async function runJob(
  job: Job,
  tree: () => NonNullable<Job["base"]["tree"]>,
  signal?: AbortSignal,
): Promise<JobDone | undefined> {
  const slot = idle.pop() ?? start();
  const known = slot.bases.has(job.base.id);
  slot.worker.ref();
  try {
    const done = await ask(slot.worker, known ? job : { ...job, base: { ...job.base, tree: tree() } }, signal);
    if (done === undefined) return undefined;
    slot.bases.add(job.base.id);
    forgetOldest(slot.bases);
    putBack(slot);
    return done;
  } catch (error) {
    await slot.worker.terminate();
    throw error;
  }
}

function putBack(slot: Slot): void {
  slot.worker.unref();
  if (idle.length < KEEP) idle.push(slot);
  else void slot.worker.terminate();
}

function ask(worker: Worker, job: Job, signal: AbortSignal | undefined): Promise<JobDone | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      setTimeout(() => void worker.terminate(), GRACE_MS);
    };
    const finish = (settle: () => void): void => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onMessage = (done: JobDone): void => finish(() => resolve(done));
    const onError = (error: Error): void => finish(() => reject(error));
    const onExit = (): void => finish(() => resolve(undefined));
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    signal?.addEventListener("abort", onAbort);
    worker.postMessage(job);
  });
}
