// The only place that writes to the terminal. Writes are synchronous, so that nothing is lost when the process exits.
import { writeSync } from "node:fs";
import { errorCode } from "@lapstrake/base";

/** Writes text to standard output. */
export function out(text: string): void {
  write(1, Buffer.from(text));
}

/** Writes text to standard error. */
export function err(text: string): void {
  write(2, Buffer.from(text));
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
