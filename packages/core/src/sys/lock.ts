// Locks between processes: flock(2) on a file, freed by the kernel when its holder dies.
import { closeSync, openSync } from "node:fs";
import { ERRNO, LapError, systemError } from "@lapstrake/base";
import { kernelSyscalls } from "./kernel.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;
/** Pauses grow: fifty who wait in short ones leave their holder no processor. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 16;
/** Fifty commands on two processors may wait for one another this long; who is killed holds no lock. */
const TIMEOUT_MS = 60_000;

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Takes the exclusive lock of `path` (made when missing); dispose to free it. Waits up to `timeoutMs` (default 60 s), then throws `ERR_LAP_LOCKED`. */
export function lockFile(path: string, timeoutMs: number = TIMEOUT_MS): Disposable {
  const fd = openSync(path, "a", 0o600);
  const deadline = Date.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const ret = kernelSyscalls().call("flock", fd, LOCK_EX | LOCK_NB);
    if (ret === 0) return { [Symbol.dispose]: () => closeSync(fd) };
    if (ret !== -ERRNO.EAGAIN && ret !== -ERRNO.EINTR) {
      closeSync(fd);
      throw systemError(-ret, "flock", path);
    }
    if (Date.now() >= deadline) {
      closeSync(fd);
      throw new LapError("unavailable", "ERR_LAP_LOCKED", `"${path}" is locked by another process`);
    }
    pause(pauseMs);
  }
}
