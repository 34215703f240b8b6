// The processes of a container, from the directory of its freezer: every process joins that cgroup.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "@lapstrake/base";
import type { Kept } from "./state.ts";

function collect(dir: string, into: number[]): void {
  try {
    into.push(...readFileSync(join(dir, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number));
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) collect(join(dir, entry.name), into);
  } catch (error) {
    // The container may end while its cgroups are read.
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "ENODEV") throw error;
  }
}

/** Pids in the caller's pid namespace, ascending. */
export function processesOf(kept: Kept): number[] {
  const pids: number[] = [];
  if (kept.freezerFile !== "") collect(dirname(kept.freezerFile), pids);
  return [...new Set(pids)].toSorted((a, b) => a - b);
}
