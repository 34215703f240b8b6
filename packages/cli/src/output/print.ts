// The only place that writes to the terminal. Writes are synchronous, so that nothing is lost when the process exits.
import { writeSync } from "node:fs";
import { errorCode } from "@lapstrake/base";

/** 128 + SIGPIPE: what a program that writes to a closed pipe ends with. */
export const BROKEN_PIPE = 141;

/** Writes text to standard output; ends the command when nobody reads it any more. */
export function out(text: string): void {
  writeOrEnd(1, text);
}

/** Writes text to standard error; ends the command when nobody reads it any more. */
export function err(text: string): void {
  writeOrEnd(2, text);
}

/** Node ignores SIGPIPE, which would have ended the command without a word. */
function writeOrEnd(fd: 1 | 2, text: string): void {
  try {
    write(fd, Buffer.from(text));
  } catch (error) {
    if (errorCode(error) === "EPIPE") process.exit(BROKEN_PIPE);
    throw named(error, fd);
  }
}

/** Says which of the two could not be written. */
function named(error: unknown, fd: 1 | 2): unknown {
  return error instanceof Error ? Object.assign(error, { path: fd === 1 ? "/dev/stdout" : "/dev/stderr" }) : error;
}

/** Nobody reads standard output any more: thrown, so that what the command holds is put away before it ends without a word. */
export class OutputClosed extends Error {}

/** Writes bytes to standard output in the midst of work that must clean up. Throws {@link OutputClosed}. */
export function outBytes(bytes: Uint8Array): void {
  try {
    write(1, bytes);
  } catch (cause) {
    throw errorCode(cause) === "EPIPE" ? new OutputClosed("standard output is closed", { cause }) : named(cause, 1);
  }
}

/** A line on standard error that does not stop the work. */
export function warn(message: string): void {
  err(`WARNING: ${message}\n`);
}

/** Writes all bytes; waits for a slow reader of a non-blocking descriptor. */
export function write(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}
