// One change at a time to a container, over processes: flock(2) on a file of its directory, freed by the kernel when the holder dies.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LapError, errorCode, isLapError } from "@lapstrake/base";
import { lockFile } from "@lapstrake/core";

/** Waits for the container's lock; dispose to free it. */
function lockContainer(dir: string): Disposable {
  return lockFile(join(dir, "lock"));
}

/** {@link lockContainer}; undefined when the container is gone. */
export function lockIfThere(dir: string): Disposable | undefined {
  try {
    return lockContainer(dir);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** A start holds the lock while it waits for a keeper. */
const TIMEOUT_MS = 30_000;
const STEP_MS = 2;

/** {@link lockIfThere} that lets this process go on meanwhile: the holder may be in it. Throws `ERR_LAP_LOCKED`. */
export async function acquireLock(dir: string): Promise<Disposable | undefined> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    try {
      return lockFile(join(dir, "lock"), 0);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      if (!isLapError(error) || error.code !== "ERR_LAP_LOCKED" || Date.now() > deadline) throw error;
      await sleep(STEP_MS);
    }
  }
}

/** {@link acquireLock} of a container that must be there. Throws `ERR_LAP_NO_CONTAINER`. */
export async function lockedIn(dir: string, { id }: { readonly id: string }): Promise<Disposable> {
  const lock = await acquireLock(dir);
  if (lock !== undefined) return lock;
  throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `No such container: ${id}`);
}
