// One change at a time to a container, over processes: flock(2) on a file of its directory, freed by the kernel when the holder dies.
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { lockFile } from "@lapstrake/core";

/** Waits for the container's lock; dispose to free it. */
export function lockContainer(dir: string): Disposable {
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
