// Mounts of the spec as operations: new filesystems, binds, and the cgroup view.
import { LapError, type MountSpec } from "@lapstrake/base";
import type { CgroupMount, HostFacts } from "../facts/types.ts";
import { MOUNT_ATTR_RDONLY, MS_PRIVATE } from "../sys/flags.ts";
import { parseMountOptions, type MountOptions } from "./mount-options.ts";
import { triples, type IdTriples } from "./userns.ts";
import type { CgroupPlan, PlanOp } from "./types.ts";

function invalid(index: number, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `mounts[${index}]: ${why}`);
}

function bindOp(mount: MountSpec, options: MountOptions, index: number): PlanOp {
  if (mount.source === undefined || !mount.source.startsWith("/")) {
    throw invalid(index, `a bind mount needs an absolute source, not "${mount.source ?? ""}"`);
  }
  return {
    op: "mountBind",
    source: mount.source,
    target: mount.destination,
    recursive: options.recursiveBind ? 1 : 0,
    set: options.set,
    clear: options.clear,
    recursiveSet: options.recursiveSet,
    recursiveClear: options.recursiveClear,
    propagation: options.propagation === 0 ? MS_PRIVATE : options.propagation,
    propagateAll: options.propagation === 0 || options.propagateAll ? 1 : 0,
  };
}

// The helper opens it anew at every start, and mounts what it opened.
function beneathOps({ source = "", beneath }: MountSpec, index: number): PlanOp[] {
  if (beneath === undefined) return [];
  if (beneath.startsWith("/") && source.startsWith(`${beneath}/`))
    return [{ op: "openBeneath", source, base: beneath }];
  throw invalid(index, `its source must be beneath "${beneath}"`);
}

function isMapped(mount: MountSpec, options: MountOptions): boolean {
  return options.idmap !== "no" || (mount.uidMappings?.length ?? 0) + (mount.gidMappings?.length ?? 0) > 0;
}

// config.md "mounts": maps of the mount's own, else those of the container's user namespace.
function mappedOp(mount: MountSpec, options: MountOptions, index: number, own: IdTriples): PlanOp {
  const has = (mount.uidMappings?.length ?? 0) + (mount.gidMappings?.length ?? 0) > 0;
  if (!has && own.uidMap.length === 0) throw invalid(index, "an id-mapped mount needs uidMappings and gidMappings");
  const uids = has ? triples(mount.uidMappings, `mounts[${index}].uidMappings`) : own.uidMap;
  const gids = has ? triples(mount.gidMappings, `mounts[${index}].gidMappings`) : own.gidMap;
  const mapAll = options.idmap === "ridmap" ? 1 : 0;
  return { ...bindOp(mount, options, index), op: "mountMapped", uids, gids, mapAll };
}

function fsOp(type: string, source: string, target: string, options: MountOptions): PlanOp {
  return {
    op: options.copyUp ? "mountCopyUp" : "mountFs",
    type,
    source,
    options: options.data,
    attr: options.set | options.recursiveSet,
    propagation: options.propagation,
    target,
  };
}

function plain(attr: number, data: readonly string[]): MountOptions {
  return { ...parseMountOptions([]), set: attr, data: [...data] };
}

function v1Data(group: CgroupMount): string[] {
  return group.controllers.flatMap((name) => (name.startsWith("name=") ? ["none", name] : [name]));
}

/** What the container may see of the cgroups: in a cgroup namespace of its own whole mounts, else binds of its own directories. */
export interface CgroupView {
  readonly hasNamespace: boolean;
  /** In a user namespace without a cgroup namespace of it the kernel refuses to mount a hierarchy: cgroup_namespaces(7). */
  readonly inUserNamespace: boolean;
  readonly cgroups: CgroupPlan;
}

function bindOfOwn(source: string, target: string, set: number): PlanOp {
  const bind = parseMountOptions(["rbind"]);
  return bindOp({ destination: target, source }, { ...bind, set }, 0);
}

function hierarchyOp(group: CgroupMount, target: string, options: MountOptions, view: CgroupView): PlanOp {
  const own = view.cgroups.v1.find(({ path }) => path.startsWith(`${group.mountPoint}/`))?.path;
  const source = group.version === 2 ? view.cgroups.v2 : own;
  if (!view.hasNamespace && source !== undefined) return bindOfOwn(source, target, options.set);
  if (group.version === 2) return fsOp("cgroup2", "cgroup", target, plain(options.set, []));
  return fsOp("cgroup", "cgroup", target, plain(options.set, v1Data(group)));
}

// Inside the cgroup namespace a new mount of a hierarchy shows the container's own directory as its root.
function v1Mounts(mount: MountSpec, options: MountOptions, facts: HostFacts, view: CgroupView): PlanOp[] {
  const ops = [fsOp("tmpfs", "tmpfs", mount.destination, plain(options.set & ~MOUNT_ATTR_RDONLY, ["mode=755"]))];
  for (const group of facts.cgroups) {
    const name = group.version === 2 ? "unified" : group.controllers.map((one) => one.replace("name=", "")).join(",");
    const target = `${mount.destination}/${name}`;
    ops.push(hierarchyOp(group, target, options, view));
    if (group.controllers.length < 2 || group.version === 2) continue;
    for (const one of group.controllers) ops.push({ op: "symlink", target: name, path: `${mount.destination}/${one}` });
  }
  if ((options.set & MOUNT_ATTR_RDONLY) !== 0)
    ops.push({ op: "setAttr", target: mount.destination, set: MOUNT_ATTR_RDONLY });
  return ops;
}

function cgroupOps(mount: MountSpec, options: MountOptions, facts: HostFacts, view: CgroupView): PlanOp[] {
  if (facts.cgroupMode === "none") return [];
  if (facts.cgroupMode !== "v2") return v1Mounts(mount, options, facts, view);
  // As runc: with the host's cgroup namespace the host's v2 tree is shown, unless the kernel would refuse.
  if (view.inUserNamespace && !view.hasNamespace && view.cgroups.v2 !== undefined)
    return [bindOfOwn(view.cgroups.v2, mount.destination, options.set)];
  return [fsOp("cgroup2", "cgroup", mount.destination, plain(options.set, []))];
}

/** Operations of one mount; `own` are the ids of the container. */
export function mountOps(
  mount: MountSpec,
  index: number,
  facts: HostFacts,
  own: IdTriples,
  view: CgroupView,
): PlanOp[] {
  const options = parseMountOptions(mount.options ?? []);
  const mapped = isMapped(mount, options);
  if (options.bind || mount.type === "bind") {
    const bind = mapped ? mappedOp(mount, options, index, own) : bindOp(mount, options, index);
    return [...beneathOps(mount, index), bind];
  }
  if (mapped) throw invalid(index, "only a bind mount can be id-mapped");
  const type = mount.type ?? "";
  if (type === "") throw invalid(index, `"${mount.destination}" has neither a type nor the option bind`);
  if (type === "cgroup" || type === "cgroup2") return cgroupOps(mount, options, facts, view);
  return [fsOp(type, mount.source ?? type, mount.destination, options)];
}
