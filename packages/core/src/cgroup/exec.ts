// Which cgroups a further process of a container joins: the container's own, sub-groups of them that the caller names, or
// the first process's where the container has made an inner node of its own.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, LapError } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";
import type { CgroupPlan } from "../plan/types.ts";

function invalid(why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_CGROUP_SUB", `invalid --cgroup argument: ${why}`, {
    hint: "name an existing group beneath the container's: CONTROLLER[,CONTROLLER]:PATH, on cgroup v2 PATH alone",
  });
}

function beneath(dir: string, path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw invalid(`${path} is not a sub cgroup path`);
  return join(dir, ...parts);
}

function byController(words: readonly string[]): Map<string, string> {
  const paths = new Map<string, string>();
  for (const word of words) {
    const colon = word.indexOf(":");
    if (colon < 0) throw invalid(`"${word}" (missing <controller>: prefix)`);
    for (const controller of word.slice(0, colon).split(",")) {
      if (controller === "") throw invalid(`"${word}" (empty <controller> prefix)`);
      if (paths.has(controller)) throw invalid(`controller ${controller} specified multiple times`);
      paths.set(controller, word.slice(colon + 1));
    }
  }
  return paths;
}

/** The plan of an exec with sub-groups as runc's `--cgroup` names them; throws `ERR_LAP_CGROUP_SUB`. */
export function inSubgroups(plan: CgroupPlan, words: readonly string[]): CgroupPlan {
  if (words.length === 0) return plan;
  if (plan.v1.length === 0) {
    const [path = ""] = words;
    if (words.length > 1 || plan.v2 === undefined) throw invalid("cgroup v2 has one path");
    return { ...plan, v2: beneath(plan.v2, path) };
  }
  const [only = ""] = words;
  if (words.length === 1 && !only.includes(":"))
    return { ...plan, v1: plan.v1.map((group) => ({ ...group, path: beneath(group.path, only) })) };
  const paths = byController(words);
  const v1 = plan.v1.map((group) => {
    const named = group.controllers.filter((controller) => paths.has(controller));
    const wanted = new Set(named.map((controller) => paths.get(controller)!));
    if (wanted.size > 1) throw invalid(`${named.join(" and ")} are one hierarchy here`);
    for (const controller of named) paths.delete(controller);
    const [path] = wanted;
    return path === undefined ? group : { ...group, path: beneath(group.path, path) };
  });
  const [unknown] = paths.keys();
  if (unknown !== undefined) throw invalid(`unknown controller ${unknown}`);
  return { ...plan, v1 };
}

/** Throws `ERR_LAP_CGROUP_SUB` unless every group of the plan is there. */
export function requireGroups(plan: CgroupPlan): void {
  for (const dir of [...plan.v1.map(({ path }) => path), ...(plan.v2 === undefined ? [] : [plan.v2])]) {
    // runc's words.
    if (!existsSync(dir)) throw invalid(`adding pid to ${dir}/cgroup.procs: no such file or directory`);
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    // The container has just ended: joining says so.
    if (["ENOENT", "ENODEV", "ESRCH"].includes(errorCode(error) ?? "")) return "";
    throw error;
  }
}

/**
 * On v2 a cgroup that gives controllers to its children takes no process itself (cgroup-v2.rst "No Internal Process
 * Constraint"), as when a container's init manages groups of its own: then the group of `pid`, the first process.
 */
export function besideInit(plan: CgroupPlan, pid: number, facts: HostFacts): CgroupPlan {
  if (plan.v2 === undefined || plan.v1.length > 0) return plan;
  if (textOf(join(plan.v2, "cgroup.subtree_control")).trim() === "") return plan;
  const own = /^0::(\/.*)$/m.exec(textOf(`/proc/${pid}/cgroup`))?.[1];
  const mount = facts.cgroups.find(({ version }) => version === 2);
  return own === undefined || mount === undefined ? plan : { ...plan, v2: join(mount.mountPoint, own) };
}
