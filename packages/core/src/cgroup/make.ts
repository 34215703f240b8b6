// Making a container's cgroup directories and writing its limits, before the helper starts.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode, LapError } from "@lapstrake/base";
import { removeCgroup } from "./cleanup.ts";
import { attachDeviceProgram } from "./device-bpf.ts";
import type { CgroupPlan, CgroupWrite } from "../plan/types.ts";

const CALLERS = "lapstrake-callers";

function isMissing(error: unknown): boolean {
  return errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR";
}

function readTrimmed(path: string): string {
  return readFileSync(path, "latin1").trim();
}

// A new v1 cpuset has neither cpus nor memory nodes and takes no task until it has: cpusets.rst. The parent may be as new,
// made by another launch a moment ago.
function inheritCpuset(dir: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readTrimmed(join(dir, file)) !== "") continue;
    const parent = dirname(dir);
    if (readTrimmed(join(parent, file)) === "") inheritCpuset(parent);
    writeFileSync(join(dir, file), readTrimmed(join(parent, file)));
  }
}

// Somebody else's processes would come under our limits, and a frozen group would never let the first process start.
function requireUnused(dir: string): void {
  const isUsed = readTrimmed(join(dir, "cgroup.procs")) !== "";
  const freezer = ["cgroup.freeze", "freezer.state"].map((file) => join(dir, file)).find((file) => existsSync(file));
  const isFrozen = freezer !== undefined && /^(1|FR)/.test(readTrimmed(freezer));
  if (!isUsed && !isFrozen) return;
  throw new LapError("conflict", "ERR_LAP_CGROUP_BUSY", `the cgroup "${dir}" is ${isUsed ? "not empty" : "frozen"}`, {
    hint: "delete the container that uses it, or choose another linux.cgroupsPath",
  });
}

// The path, once it is there.
function makeDirectory(dir: string, isCpuset: boolean, isLeaf = true): string {
  try {
    mkdirSync(dir);
  } catch (error) {
    if (errorCode(error) === "EEXIST") {
      if (isLeaf) requireUnused(dir);
      return dir;
    }
    if (!isMissing(error)) throw error;
    makeDirectory(dirname(dir), isCpuset, false);
    mkdirSync(dir);
  }
  if (isCpuset) inheritCpuset(dir);
  return dir;
}

function applyWrite(write: CgroupWrite): void {
  try {
    writeFileSync(write.path, write.value);
  } catch (cause) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_CGROUP_LIMIT",
      `cannot set ${write.field}: writing "${write.value}" to "${write.path}" failed`,
      {
        detail: { controller: write.controller, errno: errorCode(cause) },
        cause,
      },
    );
  }
}

// cgroup-v2.rst "Top-down Constraint": a controller must be enabled in every ancestor. One that cannot be is missed, with
// its name, when a limit is written.
function enableControllers(dir: string): void {
  const parent = dirname(dir);
  let available: string[];
  try {
    available = readTrimmed(join(parent, "cgroup.controllers")).split(" ").filter(Boolean);
  } catch {
    // Above the mount point.
    return;
  }
  enableControllers(parent);
  if (available.length === 0) available = readTrimmed(join(parent, "cgroup.controllers")).split(" ").filter(Boolean);
  for (const name of available) enable(parent, name);
}

function enable(dir: string, controller: string): void {
  const file = join(dir, "cgroup.subtree_control");
  try {
    writeFileSync(file, `+${controller}`);
  } catch (error) {
    if (errorCode(error) !== "EBUSY" || !isTop(dir) || !moveAside(dir)) return;
    tryWrite(file, `+${controller}`);
  }
}

function tryWrite(file: string, text: string): boolean {
  try {
    writeFileSync(file, text);
    return true;
  } catch {
    // Told by name when a limit needs it.
    return false;
  }
}

// The top of what this process was given: above it nothing can be written.
function isTop(dir: string): boolean {
  try {
    accessSync(join(dirname(dir), "cgroup.subtree_control"), constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

// cgroup-v2.rst "No Internal Process Constraint": who stands at the top of a delegated subtree, the caller most likely,
// goes into a leaf of its own, as systemd and docker-in-docker do.
function moveAside(dir: string): boolean {
  const leaf = join(dir, CALLERS);
  mkdirSync(leaf, { recursive: true });
  const pids = readTrimmed(join(dir, "cgroup.procs")).split("\n").filter(Boolean);
  return pids.every((pid) => tryWrite(join(leaf, "cgroup.procs"), pid));
}

function makeAll(plan: CgroupPlan, made: string[]): void {
  for (const group of plan.v1) made.push(makeDirectory(group.path, group.controllers.includes("cpuset")));
  if (plan.v2 !== undefined) {
    made.push(makeDirectory(plan.v2, false));
    if (plan.v1.length === 0) enableControllers(plan.v2);
    if (plan.deviceRules !== undefined) attachDeviceProgram(plan.deviceRules, plan.v2);
  }
  for (const write of plan.writes) applyWrite(write);
}

/** Makes every directory and writes every limit; throws `ERR_LAP_CGROUP_LIMIT`, `ERR_LAP_CGROUP_BUSY` or a system error. What it made is removed then, what was there is left alone. */
export function makeCgroups(plan: CgroupPlan): void {
  if (!plan.isOwned) return;
  const made: string[] = [];
  try {
    makeAll(plan, made);
  } catch (error) {
    for (const dir of made) removeCgroup(dir);
    throw error;
  }
}
