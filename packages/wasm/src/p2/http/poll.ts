// Waiting of 0.2 where imports may suspend (jco with promise integration): for promises of the host as well as for streams and time.
import type { ComponentHost, Interface } from "../host.ts";
import { Pollable } from "../poll.ts";

/** How often what only tells when asked is looked at. */
const LOOK_MS = 5;

/** Something the host learns by a promise. */
export class PromisePollable extends Pollable {
  readonly #settled: () => Promise<unknown>;

  /** `settled` gives a promise for the next change. */
  constructor(host: ComponentHost, isReady: () => boolean, settled: () => Promise<unknown>) {
    super(host, { isReady, dueNs: undefined, input: undefined });
    this.#settled = settled;
  }

  get change(): Promise<unknown> {
    return this.#settled();
  }

  // jco awaits what this import gives; the class above is synchronous.
  override block(): void {
    return this.#wait() as unknown as void;
  }

  async #wait(): Promise<void> {
    while (!this.ready()) await this.change;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LOOK_MS);
  });
}

/** wasi:io/poll whose waits suspend. */
export function suspendingPoll(host: ComponentHost): Interface {
  return {
    Pollable,
    async poll(list: readonly Pollable[]): Promise<Uint32Array> {
      if (list.length === 0) throw new Error("poll of an empty list");
      for (;;) {
        host.interrupt.check();
        const ready = [...list.keys()].filter((index) => list[index]!.ready());
        if (ready.length > 0) return new Uint32Array(ready);
        const changes = list.flatMap((pollable) => (pollable instanceof PromisePollable ? [pollable.change] : []));
        await Promise.race(changes.length === list.length ? changes : [...changes, pause()]);
      }
    },
  };
}
