// Waiting for what the kernel or another process does later: a veth that goes with its namespace, a keeper that leaves, a line of a log.
// The bound is generous, since the machine may be busy: it ends a test that would fail, it does not measure one that passes.
import { setTimeout as sleep } from "node:timers/promises";

/** How long `until` and `soon` wait at most, in milliseconds; well under the time limit of a kernel test. */
export const PATIENCE_MS = 30_000;

const PAUSE_MS = 20;

type Falsy = false | 0 | "" | null | undefined;

/** Resolves to the first value of `probe` that holds (is truthy); throws with `what` and the last value when none did in `timeoutMs`. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs: number = PATIENCE_MS,
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value as Exclude<T, Falsy>;
    if (performance.now() > deadline) throw new Error(`not true after ${timeoutMs} ms: ${what} (${String(value)})`);
    await sleep(PAUSE_MS);
  }
}

/** Repeats expectations until they hold: `await soon(() => expect(links()).toEqual(before))`; throws what they said last. */
export async function soon(check: () => unknown, timeoutMs: number = PATIENCE_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(PAUSE_MS);
  }
}
