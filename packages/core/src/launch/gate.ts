// Opening the gate of a created container: one byte into exec.fifo. The process closes its end by exec, which shows here
// as POLLERR; a failure behind the gate is in exec.error (native/src/op_gate.c).
import { closeSync, constants, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errorCode, LapError } from "@lapstrake/base";
import { kernelSyscalls } from "../sys/kernel.ts";
import { launchError } from "./failure.ts";

const POLL_MS = 100;
const POLLERR = 8;

function notCreated(cause: unknown): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_NOT_CREATED", "the container does not wait to be started", {
    cause,
  });
}

function openGate(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (cause) {
    // ENXIO: nobody reads any more.
    if (errorCode(cause) === "ENOENT" || errorCode(cause) === "ENXIO") throw notCreated(cause);
    throw cause;
  }
}

// struct pollfd; without asking for events, only errors and hang-ups are told.
function isClosed(fd: number): boolean {
  const set = new Int32Array([fd, 0]);
  const time = new BigInt64Array([0n, BigInt(POLL_MS) * 1_000_000n]);
  const ready = kernelSyscalls().call("ppoll", new Uint8Array(set.buffer), 1, new Uint8Array(time.buffer), 0, 8);
  return ready > 0 && ((set[1]! >>> 16) & POLLERR) !== 0;
}

/** What went wrong behind an opened gate; undefined when nothing did. */
export function gateFailure(dir: string): LapError | undefined {
  const record = readFileSync(join(dir, "exec.error"));
  if (record.length < 16) return undefined;
  const detail = record.toString("utf8", 16).replace(/\0.*$/s, "");
  const failure = { opIndex: record.readUInt32LE(4), errno: record.readUInt32LE(8), kind: record.readUInt32LE(12) };
  // Only a hook begins with its own path: native/src/op_gate.c.
  if (detail.startsWith('"'))
    return launchError({ ...failure, op: "hook", detail: `error running startContainer hook ${detail.trimEnd()}` });
  return launchError({ ...failure, op: "exec", detail });
}

/** Lets the process of `containerDir` run and returns once it executes its program; throws `ERR_LAP_NOT_CREATED` or the launch errors. */
export function releaseGate(containerDir: string): void {
  const path = join(containerDir, "exec.fifo");
  const fd = openGate(path);
  try {
    writeSync(fd, "0");
    while (!isClosed(fd));
  } finally {
    closeSync(fd);
  }
  unlinkSync(path);
  const failure = gateFailure(containerDir);
  if (failure !== undefined) throw failure;
}
