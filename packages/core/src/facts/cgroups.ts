// Which cgroup hierarchies are mounted, with which controllers, and where this process is in them: cgroups(7).
import { accessSync, constants, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { MountInfo } from "./mountinfo.ts";
import type { CgroupMount, HostFacts } from "./types.ts";

const V1_CONTROLLERS = new Set(
  "cpu cpuacct cpuset memory devices freezer blkio pids net_cls net_prio perf_event hugetlb rdma misc".split(" "),
);

function ownPaths(procCgroup: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of procCgroup.trim().split("\n")) {
    const [, controllers = "", ...path] = line.split(":");
    paths.set(controllers, path.join(":"));
  }
  return paths;
}

function v1Controllers(mount: MountInfo): string[] {
  return mount.superOptions.split(",").filter((option) => V1_CONTROLLERS.has(option) || option.startsWith("name="));
}

function v2Controllers(mountPoint: string): string[] {
  try {
    return readFileSync(join(mountPoint, "cgroup.controllers"), "utf8").trim().split(" ").filter(Boolean);
  } catch {
    // A hierarchy that this process may not read offers nothing.
    return [];
  }
}

function ownPathOf(paths: Map<string, string>, controllers: readonly string[]): string {
  for (const [key, path] of paths) {
    const names = key.split(",");
    if (controllers.some((controller) => names.includes(controller))) return path;
  }
  return "/";
}

/** The mounted hierarchies; the first mount of each counts. */
export function cgroupMounts(mounts: readonly MountInfo[], procCgroup: string): CgroupMount[] {
  const paths = ownPaths(procCgroup);
  const found = new Map<string, CgroupMount>();
  for (const mount of mounts) {
    if (mount.fsType !== "cgroup" && mount.fsType !== "cgroup2") continue;
    const version = mount.fsType === "cgroup2" ? 2 : 1;
    const controllers = version === 2 ? v2Controllers(mount.mountPoint) : v1Controllers(mount);
    const ownPath = version === 2 ? (paths.get("") ?? "/") : ownPathOf(paths, controllers);
    const key = version === 2 ? "v2" : controllers.join(",");
    if (!found.has(key))
      found.set(key, { version, mountPoint: mount.mountPoint, controllers, root: mount.root, ownPath });
  }
  return [...found.values()];
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    // Not ours: the subtree that was delegated ends below.
    return false;
  }
}

// cgroup-v2.rst "Model of Delegation": these are what whoever delegates gives away.
function isGiven(dir: string): boolean {
  return [".", "cgroup.procs", "cgroup.subtree_control"].every((name) => isWritable(join(dir, name)));
}

/** The v2 subtree around the calling process that its user may write, as a hierarchy of its own; [] without one. */
export function delegated(mounts: readonly CgroupMount[]): CgroupMount[] {
  const v2 = mounts.find((mount) => mount.version === 2);
  if (v2 === undefined) return [];
  const inside = v2.root === "/" ? v2.ownPath : v2.ownPath.replace(v2.root, "");
  let top: string | undefined;
  let dir = join(v2.mountPoint, inside);
  while (isGiven(dir)) {
    top = dir;
    if (dir === v2.mountPoint) break;
    dir = dirname(dir);
  }
  if (top === undefined) return [];
  const root = join(v2.root, relative(v2.mountPoint, top));
  return [{ version: 2, mountPoint: top, controllers: v2Controllers(top), root, ownPath: v2.ownPath }];
}

/** v2 when only the unified hierarchy is there, hybrid when v1 hierarchies stand beside it. */
export function cgroupMode(mounts: readonly CgroupMount[]): HostFacts["cgroupMode"] {
  const v1 = mounts.some((mount) => mount.version === 1);
  const v2 = mounts.some((mount) => mount.version === 2);
  return v1 ? (v2 ? "hybrid" : "v1") : v2 ? "v2" : "none";
}
