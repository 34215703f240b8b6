// Leases: while one lives, garbage collection leaves alone every blob that was written or touched since it began. A crashed
// holder's lease expires by age.
import type { ClockPort, DirFs } from "@lapstrake/base";
import { ensureDir, randomName, removeFile } from "./files.ts";

/** Age after which a lease has no holder any more, seconds. */
export const LEASE_MAX_AGE_SEC: number = 24 * 60 * 60;

export class Leases {
  readonly #dir: DirFs;
  readonly #clock: ClockPort;

  constructor(dir: DirFs, clock: ClockPort) {
    ensureDir(dir, "leases");
    this.#dir = dir;
    this.#clock = clock;
  }

  /** Begins a lease; dispose it when the records that need the blobs are written. */
  acquire(): Disposable {
    const name = `leases/${this.#clock.now().sec}-${randomName()}`;
    this.#dir.open(name, { write: true, create: true, exclusive: true, mode: 0o600 }).close();
    return { [Symbol.dispose]: () => void removeFile(this.#dir, name) };
  }

  /** Start of the oldest living lease, seconds; undefined when there is none. Sweeps expired ones. */
  oldest(): number | undefined {
    const now = this.#clock.now().sec;
    let oldest: number | undefined;
    for (const { name } of this.#dir.readdir("leases")) {
      const since = Number(/^(\d+)-/.exec(name)?.[1] ?? Number.NaN);
      if (!(now - since < LEASE_MAX_AGE_SEC)) removeFile(this.#dir, `leases/${name}`);
      else oldest = Math.min(oldest ?? since, since);
    }
    return oldest;
  }
}
