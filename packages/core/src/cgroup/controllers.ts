// Enabling controllers above a container's v2 cgroup: cgroup-v2.rst "Top-down Constraint", "No Internal Process Constraint".
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where those go who stand at the top of a delegated subtree. */
const CALLERS = "lapstrake-callers";

function words(path: string): string[] {
  return readFileSync(path, "latin1").split(/\s/).filter(Boolean);
}

function tryWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // A controller that cannot be enabled, or a process that has gone: told by name when a limit needs it.
  }
}

// The top of what this process was given, above which it may write nothing; the machine's own root has no type.
function isTop(dir: string): boolean {
  if (!existsSync(join(dir, "cgroup.type"))) return false;
  try {
    accessSync(join(dirname(dir), "cgroup.subtree_control"), constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

// Before the first controller: a cgroup with processes and a threaded controller would take no more of either. The callers
// go into a leaf, as systemd and docker-in-docker do.
function moveCallersAside(dir: string): void {
  const processes = words(join(dir, "cgroup.procs"));
  if (processes.length === 0) return;
  mkdirSync(join(dir, CALLERS), { recursive: true });
  for (const pid of processes) tryWrite(join(dir, CALLERS, "cgroup.procs"), pid);
}

/**
 * Enables every available controller in the ancestors of `dir`. One that cannot be is missed, with its name, when a limit is
 * written. `isLimited`: worth moving the caller itself out of the way.
 */
export function enableControllers(dir: string, isLimited: boolean): void {
  const parent = dirname(dir);
  if (!existsSync(join(parent, "cgroup.controllers"))) return;
  enableControllers(parent, isLimited);
  const enabled = new Set(words(join(parent, "cgroup.subtree_control")));
  const missing = words(join(parent, "cgroup.controllers")).filter((name) => !enabled.has(name));
  if (missing.length === 0) return;
  if (isLimited && isTop(parent)) moveCallersAside(parent);
  for (const name of missing) tryWrite(join(parent, "cgroup.subtree_control"), `+${name}`);
}
