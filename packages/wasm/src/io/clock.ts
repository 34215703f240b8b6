// The clocks a guest may read, in nanoseconds. Without node:*: performance.now() is everywhere.

export interface GuestClock {
  /** Since the epoch. */
  realtimeNs(): bigint;
  /** Since some start; never goes back. */
  monotonicNs(): bigint;
  /** Processor time used by the guest, as far as the platform tells. */
  cpuNs(): bigint;
}

const NS_PER_MS = 1e6;

/** Milliseconds with a fraction to nanoseconds, exact in the whole milliseconds. */
function toNs(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * NS_PER_MS));
}

/** The clocks of this machine. */
export const systemClock: GuestClock = {
  realtimeNs: () => toNs(performance.timeOrigin + performance.now()),
  monotonicNs: () => toNs(performance.now()),
  // One guest has one thread to itself while it runs: what has passed is what it used, waits included.
  cpuNs: () => toNs(performance.now()),
};
