// What the 0.3 host knows of its guest, and waiting: other tasks of the guest go on meanwhile, so nothing may stop the thread for long.
import type { HttpSend } from "../http/exchange.ts";
import type { GuestInput } from "../io/ports.ts";
import type { SocketNet } from "../sockets/port.ts";
import type { ComponentHost } from "../p2/host.ts";

/** One running component of 0.3. */
export interface Preview3Host extends ComponentHost {
  /** Ends the guest: a task of the host that no call waits for failed with what is no result, such as a limit. */
  fatal(error: unknown): void;
  readonly http: HttpSend;
  readonly sockets: SocketNet;
}

const NS_PER_MS = 1_000_000n;
/** How often a silent stream is looked at. */
const POLL_MS = 5;
/** Waits are cut into pieces of this, so that an interrupt is noticed. */
const SLICE_MS = 20;

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Resolves at a point of the monotonic clock; rejects when the guest is to end. */
export async function waitUntil(host: ComponentHost, dueNs: bigint): Promise<void> {
  for (let left = dueNs - host.clock.monotonicNs(); left > 0n; left = dueNs - host.clock.monotonicNs()) {
    host.interrupt.check();
    await sleep(Math.min(Number(left / NS_PER_MS) + 1, SLICE_MS));
  }
  host.interrupt.check();
}

/** Resolves when a read would not wait. */
export async function untilReadable(host: ComponentHost, input: GuestInput): Promise<void> {
  while (input.ready() === 0) {
    host.interrupt.check();
    await sleep(POLL_MS);
  }
}
