// Where a container's cgroups are: one directory in every mounted hierarchy, and the limits written there.
import { join } from "node:path";
import { LapError, type RuntimeSpec } from "@lapstrake/base";
import type { CgroupMount, HostFacts } from "../facts/types.ts";
import type { CgroupPlan } from "../plan/types.ts";
import { deviceRules, deviceWrites } from "./devices.ts";
import { controllerMount, resourceWrites } from "./resources.ts";

const PARENT = "lapstrake";

/** The container's path in every hierarchy; relative paths go below our own parent. Throws `ERR_LAP_SPEC_INVALID`. */
export function cgroupPath(cgroupsPath: string | undefined, id: string): string {
  const path = cgroupsPath === undefined || cgroupsPath === "" ? `/${PARENT}/${id}` : cgroupsPath;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || parts.includes("..") || path.includes("\0")) {
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `linux.cgroupsPath: "${path}" names no directory`);
  }
  return path.startsWith("/") ? `/${parts.join("/")}` : `/${PARENT}/${parts.join("/")}`;
}

function oomFile(facts: HostFacts, path: string): string | undefined {
  const v1 = facts.cgroups.find((group) => group.version === 1 && group.controllers.includes("memory"));
  if (v1 !== undefined) return join(v1.mountPoint, path, "memory.oom_control");
  const v2 = facts.cgroups.find((group) => group.version === 2 && group.controllers.includes("memory"));
  return v2 === undefined ? undefined : join(v2.mountPoint, path, "memory.events");
}

// cgroup.freeze works on any v2 hierarchy, also on a hybrid host's without controllers.
function freezerFile(v2: CgroupMount | undefined, v1: readonly CgroupMount[], path: string): string | undefined {
  if (v2 !== undefined) return join(v2.mountPoint, path, "cgroup.freeze");
  const freezer = v1.find((group) => group.controllers.includes("freezer"));
  return freezer === undefined ? undefined : join(freezer.mountPoint, path, "freezer.state");
}

// A user without privilege has no cgroup to give: limits are refused, the container stays in the caller's groups.
function withoutCgroups(spec: RuntimeSpec): CgroupPlan {
  const { devices: _, ...limits } = spec.linux?.resources ?? {};
  const asked = Object.entries(limits).find(([, value]) => value !== undefined && Object.keys(value).length > 0);
  if (asked !== undefined) {
    throw new LapError(
      "failedPrecondition",
      "ERR_LAP_CGROUP_CONTROLLER",
      `linux.resources.${asked[0]}: limits need a writable cgroup, which this user does not have`,
      {
        hint: "remove the limit, have a cgroup v2 subtree delegated to this user, or run as root",
      },
    );
  }
  return {
    v1: [],
    v2: undefined,
    isOwned: false,
    writes: [],
    deviceRules: undefined,
    freezerFile: undefined,
    oomFile: undefined,
  };
}

/** Directories of a container's cgroups and its limits; throws `ERR_LAP_CGROUP_CONTROLLER` for a limit nobody can hold. */
export function planCgroups(spec: RuntimeSpec, id: string, facts: HostFacts): CgroupPlan {
  const path = cgroupPath(spec.linux?.cgroupsPath, id);
  const isPrivileged = facts.euid === 0 && !facts.mapped;
  if (!isPrivileged && facts.cgroups.length === 0) return withoutCgroups(spec);
  // A device program is the machine's root's alone; without it there is no mknod either.
  const rules = isPrivileged ? deviceRules(spec) : [];
  const v1 = facts.cgroups.filter((group) => group.version === 1);
  const v2 = facts.cgroups.find((group) => group.version === 2);
  return {
    v1: v1.map((group) => ({ controllers: group.controllers, path: join(group.mountPoint, path) })),
    v2: v2 === undefined ? undefined : join(v2.mountPoint, path),
    isOwned: true,
    writes: [...resourceWrites(spec.linux?.resources ?? {}, facts, path), ...deviceWrites(rules, facts, path)],
    deviceRules:
      isPrivileged && controllerMount(facts, "devices") === undefined && v2 !== undefined ? rules : undefined,
    freezerFile: freezerFile(v2, v1, path),
    oomFile: oomFile(facts, path),
  };
}
