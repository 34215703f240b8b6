// Reading files of a store. What Node says of a read that fails (EIO, EISDIR) does not name the file; a person must know which.
import { readFileSync } from "node:fs";
import { LapError, errorCode } from "@lapstrake/base";

const DAMAGE = new Set(["ERR_LAP_RECORD_INVALID", "ERR_LAP_RECORD_UNREADABLE"]);

/** Text of a file; undefined when it is not there. Throws `ERR_LAP_RECORD_UNREADABLE`. */
export function readStored(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errorCode(error) ?? String(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new LapError("unavailable", "ERR_LAP_RECORD_UNREADABLE", `cannot read "${path}": ${code}`, {
      cause: error,
      hint: "the kernel's log may say what is wrong with the disk: dmesg",
    });
  }
}

/** The error of a file whose content makes no sense. */
export function damaged(what: string, path: string, cause?: unknown): LapError {
  return new LapError("dataLoss", "ERR_LAP_RECORD_INVALID", `damaged ${what} "${path}"`, {
    cause,
    hint: "look at it, or let lap system check --repair mend it or move it aside",
  });
}

/** True for the error of one file of a store that is damaged or cannot be read: the others may be well. */
export function isDamage(error: unknown): error is LapError {
  return error instanceof LapError && DAMAGE.has(error.code);
}

/** What `read` gives; undefined when its file is damaged, which is told to `onDamage`. */
export function orDamaged<T>(read: () => T, onDamage: (error: LapError) => void = () => undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isDamage(error)) throw error;
    onDamage(error);
    return undefined;
  }
}
