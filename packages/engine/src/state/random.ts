// Random bytes from the kernel (random(4)). node:crypto gives the same, but loading it costs a tenth of a short command.
import { closeSync, openSync, readSync } from "node:fs";

/** `bytes` random bytes as lowercase hex. */
export function randomHex(bytes: number): string {
  return randomBuffer(bytes).toString("hex");
}

/** A uniformly random integer in [0, below); `below` at most 2^24. */
export function randomBelow(below: number): number {
  const limit = 2 ** 32 - (2 ** 32 % below);
  for (;;) {
    const value = randomBuffer(4).readUInt32LE(0);
    if (value < limit) return value % below;
  }
}

function randomBuffer(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  const fd = openSync("/dev/urandom", "r");
  try {
    for (let done = 0; done < bytes;) done += readSync(fd, buffer, done, bytes - done, null);
  } finally {
    closeSync(fd);
  }
  return buffer;
}
