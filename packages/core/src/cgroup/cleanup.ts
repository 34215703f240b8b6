// Removing a dead container's cgroups: kill what is left, wait until it is gone, remove the directories. Idempotent.
import { readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { hostFacts } from "../facts/host.ts";
import type { CgroupPlan } from "../plan/types.ts";
import { cgroupPath } from "./plan.ts";

const TRIES = 400;
const STEP_MS = 5;

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS);
}

function processesOf(dir: string): number[] {
  try {
    return readFileSync(join(dir, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number);
  } catch {
    // A directory that is gone has no processes.
    return [];
  }
}

// cgroup.kill (v2) takes all at once; elsewhere one by one, and again while they fork.
function killAll(dir: string): void {
  try {
    writeFileSync(join(dir, "cgroup.kill"), "1");
    return;
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "EACCES") throw error;
  }
  thaw(dir);
  for (const pid of processesOf(dir)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (errorCode(error) !== "ESRCH") throw error;
    }
  }
}

function thaw(dir: string): void {
  try {
    writeFileSync(join(dir, "freezer.state"), "THAWED");
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "EACCES") throw error;
  }
}

function children(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(dir, entry.name));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

function tryRemove(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return true;
    if (errorCode(error) === "EBUSY" || errorCode(error) === "ENOTEMPTY") return false;
    throw error;
  }
}

/** Removes one cgroup directory with everything in it; throws EBUSY when processes do not die within two seconds. */
export function removeCgroup(dir: string): void {
  if (tryRemove(dir)) return;
  for (let i = 0; i < TRIES; i++) {
    for (const child of children(dir)) removeCgroup(child);
    if (processesOf(dir).length > 0) killAll(dir);
    if (tryRemove(dir)) return;
    pause();
  }
  rmdirSync(dir);
}

/** Removes the directories of a plan, if they are its own. */
export function removeCgroupDirs(plan: CgroupPlan): void {
  if (!plan.isOwned) return;
  if (plan.v2 !== undefined) removeCgroup(plan.v2);
  for (const group of plan.v1) removeCgroup(group.path);
}

/** Removes the cgroups of a dead container by `linux.cgroupsPath` (undefined: the default of `id`). Idempotent. */
export function cleanup(cgroupsPath: string | undefined, id: string): void {
  const path = cgroupPath(cgroupsPath, id);
  const mounts = [...hostFacts().cgroups].sort((a, b) => b.version - a.version);
  for (const mount of mounts) removeCgroup(join(mount.mountPoint, path));
}
