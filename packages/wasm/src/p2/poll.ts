// wasi:io/poll 0.2: pollables over points in time and streams.
import { waitForAny, type Waiting } from "../io/wait.ts";
import type { ComponentHost, Interface } from "./host.ts";

/** Something a component can wait for. */
export class Pollable {
  readonly #host: ComponentHost;
  readonly waiting: Waiting;

  constructor(host: ComponentHost, waiting: Waiting) {
    this.#host = host;
    this.waiting = waiting;
  }

  ready(): boolean {
    return this.waiting.isReady();
  }

  block(): void {
    waitForAny(this.#host.interrupt, this.#host.clock, [this.waiting]);
  }
}

/** Ready at once. */
export function readyPollable(host: ComponentHost): Pollable {
  return new Pollable(host, { isReady: () => true, dueNs: undefined, input: undefined });
}

/** Ready at a point of the monotonic clock. */
export function timePollable(host: ComponentHost, dueNs: bigint): Pollable {
  return new Pollable(host, { isReady: () => host.clock.monotonicNs() >= dueNs, dueNs, input: undefined });
}

/** wasi:io/poll. */
export function pollInterface(host: ComponentHost): Interface {
  return {
    Pollable,
    poll(list: readonly Pollable[]): Uint32Array {
      if (list.length === 0) throw new Error("poll of an empty list");
      const waiting = list.map((pollable) => pollable.waiting);
      waitForAny(host.interrupt, host.clock, waiting);
      return new Uint32Array([...waiting.keys()].filter((index) => waiting[index]!.isReady()));
    },
  };
}
