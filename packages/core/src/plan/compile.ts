// RuntimeSpec + host facts → launch plan. Pure: the same input gives the same plan, which is what golden tests hold.
// The order of the operations is the order of docs/HOW-A-CONTAINER-STARTS.md.
import { LapError, type LinuxSpec, type MountSpec, type ProcessSpec, type RuntimeSpec } from "@lapstrake/base";
import { planCgroups } from "../cgroup/plan.ts";
import type { HostFacts } from "../facts/types.ts";
import type { Bundle, LaunchOptions, Rootfs } from "../launch/types.ts";
import { seccompFor } from "../seccomp/plan.ts";
import { CLONE_NEWCGROUP, CLONE_NEWNS, CLONE_NEWTIME, MOUNT_ATTR_RDONLY, MS_SLAVE } from "../sys/flags.ts";
import { attributeOps, labelOps, refuseUnsupported, timeOps } from "./attributes.ts";
import { freeAffinityOp, memoryPolicyOps } from "./cpus.ts";
import { deviceOps } from "./devices.ts";
import { createHookOps, startHookOps } from "./hooks.ts";
import { parseMountOptions, parsePropagation } from "./mount-options.ts";
import { mountOps, type CgroupView } from "./mounts.ts";
import { planNamespaces, type NamespacePlan } from "./namespaces.ts";
import { netDevicesOf } from "./net-devices.ts";
import { credentialOps, newlineFlag, programOps, rlimitOps } from "./process.ts";
import { rootOps, rootTarget } from "./root.ts";
import { requireShim } from "./shim.ts";
import { sysctlOps } from "./sysctl.ts";
import { idMaps, inUserNamespace, type IdTriples } from "./userns.ts";
import { PLAN_VERSION, type CgroupPlan, type LaunchPlan, type PlanOp } from "./types.ts";

// v1 hierarchies are joined from inside, so the cgroup namespace must come after; on pure v2 the clone does both.
function isCgroupUnshared(namespaces: NamespacePlan, cgroups: CgroupPlan): boolean {
  return namespaces.isNew.has("cgroup") && cgroups.v1.length > 0;
}

// The machine's root may join whatever there is; the root of a user namespace only what belongs to that. Mounts are joined by the
// first process itself, because paths change.
function joinedEarly(namespaces: NamespacePlan, facts: HostFacts): readonly PlanOp[] {
  const hasUser = namespaces.isNew.has("user") || namespaces.joined.has("user");
  if (!hasUser || facts.euid !== 0) return [];
  return namespaces.joinOps.filter(({ type }) => type !== CLONE_NEWNS && type !== CLONE_NEWTIME);
}

function enterOps(namespaces: NamespacePlan, cgroups: CgroupPlan): PlanOp[] {
  const joins = cgroups.v1.map((group): PlanOp => ({ op: "cgroupJoin", path: `${group.path}/tasks` }));
  const unshare = isCgroupUnshared(namespaces, cgroups) ? [{ op: "unshare", flags: CLONE_NEWCGROUP }] : [];
  return [...joins, freeAffinityOp(), ...unshare, ...namespaces.joinOps];
}

function nameOps(spec: RuntimeSpec, namespaces: NamespacePlan): PlanOp[] {
  const ops: PlanOp[] = [];
  if (namespaces.isNew.has("network")) ops.push({ op: "loUp" });
  const named = [spec.hostname, spec.domainname];
  if (named.some(Boolean) && !namespaces.isNew.has("uts") && !namespaces.joined.has("uts")) {
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", "hostname: a name needs a uts namespace of its own");
  }
  if (spec.hostname) ops.push({ op: "hostname", name: spec.hostname });
  if (spec.domainname) ops.push({ op: "domainname", name: spec.domainname });
  return ops;
}

// config.md "mounts": a relative destination is deprecated, and is meant from the root.
function fromRoot(mount: MountSpec): MountSpec {
  return mount.destination.startsWith("/") ? mount : { ...mount, destination: `/${mount.destination}` };
}

// A bound /dev is the caller's business: nothing is made in it.
function ownsDev(spec: RuntimeSpec): boolean {
  return !(spec.mounts ?? []).some((mount) => {
    const isBind =
      mount.type === "bind" || (mount.options ?? []).some((option) => option === "bind" || option === "rbind");
    return isBind && mount.destination.replace(/\/+$/, "") === "/dev";
  });
}

// Only an OCI command line may leave mounts in the caller's namespace: its `delete` removes them.
function sharedRootOp(rootfs: Rootfs): PlanOp {
  if (rootfs.kind === "dir") return { op: "rootOpen", path: rootfs.path };
  throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", "linux.namespaces: a mount namespace is required");
}

function isDev({ destination }: MountSpec): boolean {
  return destination.replace(/\/+$/, "") === "/dev";
}

// A read-only /dev is closed when its devices, the mounts below it and its console are made.
function devLater(mount: MountSpec): MountSpec {
  if (!isDev(mount) || mount.type !== "tmpfs") return mount;
  return { ...mount, options: (mount.options ?? []).filter((option) => option !== "ro") };
}

function devReadonlyOps(spec: RuntimeSpec): PlanOp[] {
  const dev = (spec.mounts ?? []).find(isDev);
  const isReadonly = dev?.type === "tmpfs" && (parseMountOptions(dev.options ?? []).set & MOUNT_ATTR_RDONLY) !== 0;
  return isReadonly ? [{ op: "setAttr", target: "/dev", set: MOUNT_ATTR_RDONLY }] : [];
}

function hasOwnMounts(namespaces: NamespacePlan): boolean {
  return namespaces.isNew.has("mount") || namespaces.joined.has("mount");
}

function filesystemOps(
  bundle: Bundle,
  linux: LinuxSpec,
  facts: HostFacts,
  namespaces: NamespacePlan,
  awaitCaller: boolean,
  maps: IdTriples,
  cgroups: CgroupPlan,
): PlanOp[] {
  const { spec, rootfs } = bundle;
  const at = rootTarget(rootfs);
  const view: CgroupView = {
    hasNamespace: namespaces.isNew.has("cgroup"),
    inUserNamespace: namespaces.isNew.has("user") || namespaces.joined.has("user"),
    cgroups,
  };
  const isPrivate = hasOwnMounts(namespaces);
  return [
    ...(isPrivate ? [{ op: "propagation", flags: MS_SLAVE }, ...rootOps(rootfs, at, maps)] : [sharedRootOp(rootfs)]),
    ...(spec.mounts ?? []).flatMap((mount, index) => mountOps(devLater(fromRoot(mount)), index, facts, maps, view)),
    ...(ownsDev(spec) ? deviceOps(linux.devices ?? [], facts.kcore) : []),
    ...sysctlOps(spec, namespaces),
    ...(linux.maskedPaths ?? []).map((path): PlanOp => ({ op: "mask", path })),
    ...(linux.readonlyPaths ?? []).map((path): PlanOp => ({ op: "readonly", path })),
    { op: "mkdirAll", path: spec.process?.cwd ?? "/", mode: 0o755 },
    ...createHookOps(spec.hooks ?? {}, awaitCaller),
    ...(spec.root?.readonly === true && isPrivate ? [{ op: "rootReadonly" }] : []),
    { op: isPrivate ? "pivot" : "chroot" },
    ...rootPropagationOps(linux),
  ];
}

function rootPropagationOps(linux: LinuxSpec): PlanOp[] {
  if (linux.rootfsPropagation === undefined || linux.rootfsPropagation === "") return [];
  const { flags, recursive } = parsePropagation(linux.rootfsPropagation);
  return [{ op: "rootPropagation", flags, recursive: recursive ? 1 : 0 }];
}

function processOps(
  bundle: Bundle,
  process: ProcessSpec,
  facts: HostFacts,
  warnings: string[],
  options: LaunchOptions,
  isLonely: boolean,
): PlanOp[] {
  const { ops: filter, warnings: ignored } = seccompFor(bundle.spec, facts, {
    id: options.id,
    bundle: options.oci?.bundle,
  });
  warnings.push(...ignored);
  const user = process.user ?? {};
  const console = (ownsDev(bundle.spec) ? 1 : 0) | newlineFlag(options);
  const gate = options.oci?.gate === true ? [{ op: "gate" }] : [];
  return [
    ...rlimitOps(process.rlimits ?? [], facts),
    ...attributeOps(process, bundle.spec.linux ?? {}),
    ...memoryPolicyOps(bundle.spec.linux ?? {}),
    { op: "stdio", uid: user.uid ?? 0, gid: user.gid ?? 0, console },
    ...devReadonlyOps(bundle.spec),
    { op: "keyring", name: "_ses" },
    ...credentialOps(process, facts, warnings, filter, isLonely),
    ...programOps(process, filter, [...gate, ...startHookOps(bundle.spec.hooks ?? {}, process.env)]),
  ];
}

/** Compiles a bundle; throws `ERR_LAP_SPEC_INVALID` and kin with the field's name, `ERR_LAP_NATIVE_MISSING`. */
export function compile(bundle: Bundle, facts: HostFacts, options: LaunchOptions): LaunchPlan {
  const { spec } = bundle;
  const linux = spec.linux ?? {};
  // A created container may lack a process, it just cannot be started: runtime.md "start".
  if (spec.process === undefined && options.oci?.gate !== true)
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", "process: is missing");
  refuseUnsupported(spec);
  const warnings: string[] = [];
  const namespaces = planNamespaces(linux.namespaces ?? []);
  const cgroups = planCgroups(spec, options.id, facts);
  const maps = idMaps(linux, namespaces, facts);
  const netDevices = netDevicesOf(linux, namespaces);
  const early = joinedEarly(namespaces, facts);
  const later = namespaces.joinOps.filter((op) => !early.includes(op));
  const awaitCaller = options.awaitCaller === true || netDevices.length > 0;
  const filesystem = filesystemOps(bundle, linux, facts, namespaces, awaitCaller, maps, cgroups);
  if (spec.root?.readonly === true && !hasOwnMounts(namespaces))
    warnings.push("root.readonly is ignored: without a mount namespace it would close the machine's own directory");
  const oom = spec.process?.oomScoreAdj;
  const isJoined = namespaces.joined.has("user");
  // A joined namespace's map is not known here, but for what the spec says of it.
  const groups = (linux.gidMappings ?? []).flatMap(({ containerID, hostID, size }) => [containerID, hostID, size]);
  const groupMap = isJoined ? groups : maps.gidMap;
  const isMapped = maps.uidMap.length > 0 || isJoined;
  const ops: PlanOp[] = [
    ...enterOps({ ...namespaces, joinOps: later }, cgroups),
    ...(oom === undefined ? [] : [{ op: "oomScoreAdj", value: String(oom) }]),
    ...(maps.uidMap.length > 0 ? [{ op: "awaitMaps" }] : []),
    ...timeOps(linux, namespaces),
    ...(spec.process === undefined ? [] : labelOps(spec.process, linux, facts, warnings, options.oci !== undefined)),
    ...nameOps(spec, namespaces),
    ...(isMapped ? inUserNamespace(filesystem, groupMap) : filesystem),
    ...(spec.process === undefined
      ? [{ op: "gate" }]
      : processOps(bundle, spec.process, facts, warnings, options, maps.denySetgroups)),
  ];
  // The time namespace is entered by an operation, after its clocks were set.
  const unshared = (isCgroupUnshared(namespaces, cgroups) ? CLONE_NEWCGROUP : 0) | CLONE_NEWTIME;
  return {
    version: PLAN_VERSION,
    options,
    shim: requireShim(facts),
    cloneFlags: (namespaces.cloneFlags & ~unshared) >>> 0,
    pidNamespace: namespaces.joined.get("pid"),
    userNamespace: namespaces.joined.get("user"),
    earlyNamespaces: early.map(({ path }) => String(path)),
    ...maps,
    cgroups,
    netDevices,
    ops,
    warnings,
  };
}
