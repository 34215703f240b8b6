// Guests in threads that wait for them: a run takes a warm worker, and a worker that had to be killed is replaced.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { LapError } from "@lapstrake/base";
import { forgetOldest, type Job, type JobDone } from "./pool-job.ts";
import { watchCpu } from "./watch-cpu.ts";

/** Idle workers kept for the next runs. */
const KEEP = 2;
/** A guest that is to end and does not by itself within this time is killed with its thread. */
const GRACE_MS = 20;

/** One thread, and the layers it has seen. */
interface Slot {
  readonly worker: Worker;
  readonly bases: Set<number>;
  /** It was told to end: nobody answers any more. */
  isEnding: boolean;
}

const idle: Slot[] = [];

/** Starts workers ahead of need, up to `count` idle ones. */
export function warmPool(count: number = KEEP): void {
  while (idle.length < count) idle.push(start());
}

/** Ends all idle workers; the process may exit without it. */
export async function closePool(): Promise<void> {
  await Promise.all(idle.splice(0).map(end));
}

function start(): Slot {
  const file = workerFile();
  const execArgv = file.endsWith(".ts")
    ? ["--conditions=@lapstrake/source", "--disable-warning=ExperimentalWarning"]
    : [];
  const worker = new Worker(file, { execArgv });
  worker.unref();
  return { worker, bases: new Set(), isEnding: false };
}

function end(slot: Slot): Promise<number> {
  slot.isEnding = true;
  return slot.worker.terminate();
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

/** What ends a job from outside; both kill the worker when the guest does not end by itself. */
export interface JobEnd {
  readonly signal?: AbortSignal | undefined;
  /** Processor time, and what to do when it is used up. */
  readonly cpuMs?: number | undefined;
  readonly onCpu?: () => void;
}

/** Runs one job; `base.tree` is asked for only when the worker has not seen it. Killed workers give undefined. */
export async function runJob(
  job: Job,
  tree: () => NonNullable<Job["base"]["tree"]>,
  ending: JobEnd,
): Promise<JobDone | undefined> {
  const slot = idle.pop() ?? start();
  const known = slot.bases.has(job.base.id);
  slot.worker.ref();
  try {
    const done = await ask(slot, known ? job : { ...job, base: { ...job.base, tree: tree() } }, ending);
    if (done === undefined) return undefined;
    slot.bases.add(job.base.id);
    forgetOldest(slot.bases);
    putBack(slot);
    return done;
  } catch (error) {
    await end(slot);
    throw error;
  }
}

function putBack(slot: Slot): void {
  slot.worker.unref();
  if (slot.isEnding) return;
  if (idle.length < KEEP) idle.push(slot);
  else void end(slot);
}

async function ask(slot: Slot, job: Job, { signal, cpuMs, onCpu }: JobEnd): Promise<JobDone | undefined> {
  const { worker } = slot;
  const { promise, resolve, reject } = Promise.withResolvers<JobDone | undefined>();
  const onExit = (): void => resolve(undefined);
  let patience: NodeJS.Timeout | undefined;
  const kill = (): void => void (patience ??= setTimeout(() => void end(slot), GRACE_MS));
  worker.on("message", resolve).on("error", reject).on("exit", onExit);
  signal?.addEventListener("abort", kill);
  const watch = cpuMs === undefined ? undefined : watchCpu(worker, cpuMs, () => (onCpu?.(), kill()));
  try {
    worker.postMessage(job);
    return await promise;
  } finally {
    clearInterval(watch);
    // One that ended by itself in time is the next job's.
    clearTimeout(patience);
    signal?.removeEventListener("abort", kill);
    worker.off("message", resolve).off("error", reject).off("exit", onExit);
  }
}
