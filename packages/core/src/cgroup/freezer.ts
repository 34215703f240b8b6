// Freezing a cgroup from outside a supervisor: v2 cgroup.freeze, v1 freezer.state; done when the kernel says so.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LapError } from "@lapstrake/base";

const TRIES = 1000;
const STEP_MS = 2;

function hasSettled(file: string, isFrozen: boolean): boolean {
  if (file.endsWith("freezer.state")) return readFileSync(file, "latin1").startsWith(isFrozen ? "FROZEN" : "THAWED");
  return readFileSync(join(dirname(file), "cgroup.events"), "latin1").includes(`frozen ${isFrozen ? 1 : 0}`);
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS);
}

/** Writes the freezer file of a cgroup and waits; throws a system error, or `ERR_LAP_FREEZE` after two seconds. */
export function setFreezer(file: string, isFrozen: boolean): void {
  const isV1 = file.endsWith("freezer.state");
  for (let i = 0; i < TRIES; i++) {
    // v1 may stay FREEZING while tasks are created: asking again helps.
    if (i % 50 === 0) writeFileSync(file, isV1 ? (isFrozen ? "FROZEN" : "THAWED") : isFrozen ? "1" : "0");
    if (hasSettled(file, isFrozen)) return;
    pause();
  }
  throw new LapError(
    "deadlineExceeded",
    "ERR_LAP_FREEZE",
    `the cgroup did not ${isFrozen ? "freeze" : "thaw"} in time`,
  );
}
