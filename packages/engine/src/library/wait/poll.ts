// Asking again until it holds.
import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 5;
const LAST_MS = 250;

/** Resolves when `holds` says so; asks less and less often. Rejects with the signal's reason. */
export async function poll(holds: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (let ms = FIRST_MS; !(await holds()); ms = Math.min(LAST_MS, ms * 1.5)) {
    signal.throwIfAborted();
    await sleep(ms, undefined, { signal });
  }
}
