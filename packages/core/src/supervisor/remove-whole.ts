// rm -rf by path that ends with nothing there: Node's takes a missing entry for a missing tree, and so leaves the rest, without a word,
// when something in the tree goes by itself meanwhile (a supervisor takes its socket away after it has told of the end).
import { existsSync, rmSync } from "node:fs";
import { ERRNO, errorCode, systemError } from "@lapstrake/base";

const TRIES = 16;

/** Removes `path` with all beneath; one that is not there is no error. Throws what rmSync throws, ENOTEMPTY when something is left. */
export function removeWhole(path: string): void {
  for (let tries = 1; tries <= TRIES; tries++) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch (error) {
      // Somebody wrote a last file into it.
      if (errorCode(error) !== "ENOTEMPTY") throw error;
    }
    if (!existsSync(path)) return;
  }
  throw systemError(ERRNO.ENOTEMPTY, "rm", path);
}
