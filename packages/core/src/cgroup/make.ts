// Making a container's cgroup directories and writing its limits, before the helper starts.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode, LapError } from "@lapstrake/base";
import { removeCgroup } from "./cleanup.ts";
import { enableControllers } from "./controllers.ts";
import { attachDeviceProgram } from "./device-bpf.ts";
import type { CgroupPlan, CgroupWrite } from "../plan/types.ts";

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
  throw new LapError(
    "conflict",
    "ERR_LAP_CGROUP_BUSY",
    `container's cgroup ${isUsed ? "is not empty" : "unexpectedly frozen"}: "${dir}"`,
    {
      hint: "delete the container that uses it, or choose another linux.cgroupsPath",
    },
  );
}

// The path, once it is there.
function makeDirectory(dir: string, isCpuset: boolean, isLeaf = true): string {
  try {
    mkdirSync(dir);
  } catch (error) {
    if (errorCode(error) === "EEXIST") {
      if (isLeaf) requireUnused(dir);
      // Whoever made it may have been killed before it filled it.
      if (isCpuset) inheritCpuset(dir);
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

function makeAll(plan: CgroupPlan, made: string[]): void {
  for (const group of plan.v1) made.push(makeDirectory(group.path, group.controllers.includes("cpuset")));
  if (plan.v2 !== undefined) {
    made.push(makeDirectory(plan.v2, false));
    // Beside v1 hierarchies it holds a controller or two that hardly anybody limits.
    const isLimited = plan.writes.some(({ path }) => dirname(path) === plan.v2);
    if (plan.v1.length === 0 || isLimited) enableControllers(plan.v2, plan.writes.length > 0);
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
