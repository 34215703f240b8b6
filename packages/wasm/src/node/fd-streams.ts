// stdin, stdout and stderr of this process as a guest's streams: blocking calls on descriptors.
import { fstatSync, readSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { errorCode } from "@lapstrake/base";
import type { GuestInput, GuestOutput, StreamKind } from "../io/ports.ts";
import type { Interrupt } from "../run/interrupt.ts";

/** Node may have left a descriptor non-blocking: then EAGAIN, and we wait this long before the next try. */
const RETRY_MS = 2;

/** What a guest is told of a descriptor. */
export function kindOf(fd: number): StreamKind {
  return isatty(fd) ? "terminal" : "pipe";
}

/** Writes to a descriptor; a slow reader makes the guest wait. */
export function fdOutput(fd: number, interrupt: Interrupt): GuestOutput {
  return {
    kind: kindOf(fd),
    write: (from, offset, length) => retrying(interrupt, () => writeSync(fd, from, offset, length)),
  };
}

/** Reads from a regular file or /dev/null, where a read never waits. */
export function fdInput(fd: number, interrupt: Interrupt): GuestInput {
  return {
    kind: kindOf(fd),
    read: (into, offset, length) => retrying(interrupt, () => readSync(fd, into, offset, length, null)),
    ready: () => 1,
    wait: () => undefined,
  };
}

/** True when reads of `fd` never wait. */
export function neverWaits(fd: number): boolean {
  const stat = fstatSync(fd);
  return stat.isFile() || (stat.isCharacterDevice() && !isatty(fd));
}

function retrying(interrupt: Interrupt, call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      const code = errorCode(error);
      if (code === "EOF") return 0;
      if (code !== "EAGAIN" && code !== "EINTR") throw error;
      interrupt.sleep(RETRY_MS);
    }
  }
}
