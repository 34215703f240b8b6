// The processor time of a guest's thread, looked at from another.
import type { Worker } from "node:worker_threads";
import { LapError } from "@lapstrake/base";

/** How often it is looked at. */
const CPU_POLL_MS = 10;
const US_PER_MS = 1000;

/** Calls `onUsed` once, when the thread has used `cpuMs` more than it had. */
export function watchCpu(worker: Worker, cpuMs: number, onUsed: () => void): NodeJS.Timeout {
  const usage = cpuUsageOf(worker);
  let before: number | undefined;
  let asking = false;
  const look = async (): Promise<void> => {
    const now = await usage();
    before ??= now;
    if (now - before < cpuMs) return;
    clearInterval(timer);
    onUsed();
  };
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    // A thread that has ended meanwhile cannot be asked: nothing is left to watch.
    void look().then(
      () => (asking = false),
      () => clearInterval(timer),
    );
  }, CPU_POLL_MS);
  return timer;
}

/** Milliseconds of processor time of a thread; Node 22 cannot tell. */
function cpuUsageOf(worker: Worker): () => Promise<number> {
  if (!("cpuUsage" in worker)) {
    throw new LapError("unimplemented", "ERR_LAP_WASM_PLACEMENT", "limits.cpuMs needs Node 24", {
      hint: "use limits.timeoutMs",
    });
  }
  return async () => {
    const { user, system } = await worker.cpuUsage();
    return (user + system) / US_PER_MS;
  };
}
