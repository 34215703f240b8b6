// Waiting for the first of several things: points in time and streams. What poll_oneoff and wasi:io/poll stand on.
import type { Interrupt } from "../run/interrupt.ts";
import type { GuestClock } from "./clock.ts";
import type { GuestInput } from "./ports.ts";

/** With several silent streams, each is looked at this often. */
const POLL_MS = 5;
const NS_PER_MS = 1_000_000;

/** One thing waited for. */
export interface Waiting {
  readonly isReady: () => boolean;
  /** On the monotonic clock, when it is a point in time. */
  readonly dueNs: bigint | undefined;
  /** When it is bytes of a stream. */
  readonly input: GuestInput | undefined;
}

/** Returns when at least one is ready; throws when the guest is to end. */
export function waitForAny(interrupt: Interrupt, clock: GuestClock, list: readonly Waiting[]): void {
  for (;;) {
    interrupt.check();
    if (list.some(({ isReady }) => isReady())) return;
    waitOnce(interrupt, clock, list);
  }
}

function waitOnce(interrupt: Interrupt, clock: GuestClock, list: readonly Waiting[]): void {
  const ms = untilDue(clock, list);
  const inputs = list.flatMap(({ input }) => input ?? []);
  const only = inputs.length === 1 ? inputs[0] : undefined;
  if (only !== undefined) only.wait(ms);
  else interrupt.sleep(inputs.length === 0 ? ms : Math.min(ms, POLL_MS));
}

function untilDue(clock: GuestClock, list: readonly Waiting[]): number {
  const now = clock.monotonicNs();
  let ms = Number.POSITIVE_INFINITY;
  for (const { dueNs } of list) if (dueNs !== undefined) ms = Math.min(ms, Number(dueNs - now) / NS_PER_MS);
  return Math.max(0, ms);
}
