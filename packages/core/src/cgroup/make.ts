// Making a container's cgroup directories and writing its limits, before the helper starts.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode, LapError } from "@lapstrake/base";
import { attachDeviceProgram } from "./device-bpf.ts";
import type { CgroupPlan, CgroupWrite } from "../plan/types.ts";

function isMissing(error: unknown): boolean {
  return errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR";
}

function readTrimmed(path: string): string {
  return readFileSync(path, "latin1").trim();
}

// A new v1 cpuset has neither cpus nor memory nodes and takes no task until it has: cpusets.rst.
function inheritCpuset(dir: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readTrimmed(join(dir, file)) === "") writeFileSync(join(dir, file), readTrimmed(join(dirname(dir), file)));
  }
}

function makeDirectory(dir: string, isCpuset: boolean): void {
  try {
    mkdirSync(dir);
  } catch (error) {
    if (errorCode(error) === "EEXIST") return;
    if (!isMissing(error)) throw error;
    makeDirectory(dirname(dir), isCpuset);
    mkdirSync(dir);
  }
  if (isCpuset) inheritCpuset(dir);
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
  for (const name of available) {
    try {
      writeFileSync(join(parent, "cgroup.subtree_control"), `+${name}`);
    } catch {
      // EBUSY, ENOENT: see above.
      continue;
    }
  }
}

/** Makes every directory and writes every limit; throws `ERR_LAP_CGROUP_LIMIT` or a system error. */
export function makeCgroups(plan: CgroupPlan): void {
  if (!plan.isOwned) return;
  for (const group of plan.v1) makeDirectory(group.path, group.controllers.includes("cpuset"));
  if (plan.v2 !== undefined) {
    makeDirectory(plan.v2, false);
    if (plan.v1.length === 0) enableControllers(plan.v2);
    if (plan.deviceRules !== undefined) attachDeviceProgram(plan.deviceRules, plan.v2);
  }
  for (const write of plan.writes) applyWrite(write);
}
