// A further process in a running container: the same plan, with the container's namespaces joined instead of made.
import { LapError, type NamespaceSpec, type ProcessSpec, type RuntimeSpec } from "@lapstrake/base";
import { besideInit, inSubgroups, requireGroups } from "../cgroup/exec.ts";
import { planCgroups } from "../cgroup/plan.ts";
import type { HostFacts } from "../facts/types.ts";
import type { LaunchOptions } from "../launch/types.ts";
import { seccompFor } from "../seccomp/plan.ts";
import { credentialOps, newlineFlag, programOps, rlimitOps } from "./process.ts";
import { attributeOps, labelOps } from "./attributes.ts";
import { execAffinity, memoryPolicyOps } from "./cpus.ts";
import { CLONE_FLAG } from "./namespaces.ts";
import { requireShim } from "./shim.ts";
import { PLAN_VERSION, type CgroupPlan, type LaunchPlan, type PlanOp } from "./types.ts";

/** The running container that a process is added to. */
export interface ExecTarget {
  readonly id: string;
  readonly spec: RuntimeSpec;
  /** Its first process, from the status record. */
  readonly pid: number;
  readonly pidStartTime: number;
  /** Existing cgroups beneath the container's to join instead, as runc's `exec --cgroup` takes them. */
  readonly subgroups?: readonly string[];
}

// Of the machine's or of the user namespace: its root may join both before it enters that. joinTarget checks afterwards whose they were.
const EARLY: readonly (readonly [NamespaceSpec["type"], string])[] = [
  ["network", "net"],
  ["ipc", "ipc"],
  ["uts", "uts"],
  ["cgroup", "cgroup"],
];

function earlyPaths({ spec, pid }: ExecTarget, facts: HostFacts): string[] {
  const types = new Set((spec.linux?.namespaces ?? []).map(({ type }) => type));
  if (!types.has("user") || facts.euid !== 0) return [];
  return EARLY.filter(([type]) => types.has(type)).map(([, file]) => `/proc/${pid}/ns/${file}`);
}

// Joined namespaces are those the container has of its own or joined itself; user and pid are joined before the clone.
function joinFlags(namespaces: readonly NamespaceSpec[], hasEarly: boolean): number {
  const before = new Set<string>(["pid", "user", ...(hasEarly ? EARLY.map(([type]) => type) : [])]);
  let flags = 0;
  for (const { type } of namespaces) if (!before.has(type)) flags |= CLONE_FLAG[type];
  return flags >>> 0;
}

// A user without privilege who mapped a single id had to give up setgroups.
function isLonely(spec: RuntimeSpec, facts: HostFacts): boolean {
  const maps = spec.linux?.gidMappings ?? [];
  return facts.euid !== 0 && maps.length === 1 && maps[0]!.size === 1;
}

function cgroupsOf(target: ExecTarget, facts: HostFacts): CgroupPlan {
  const own = planCgroups(target.spec, target.id, facts);
  const joined = { ...own, isOwned: false, writes: [], deviceRules: undefined };
  const named = target.subgroups ?? [];
  if (named.length === 0) return besideInit(joined, target.pid, facts);
  const sub = inSubgroups(joined, named);
  requireGroups(sub);
  return sub;
}

/** Compiles an exec; `options.containerDir` is a directory of the exec's own. Throws as `compile` does. */
export function compileExec(
  target: ExecTarget,
  process: ProcessSpec,
  facts: HostFacts,
  options: LaunchOptions,
): LaunchPlan {
  const namespaces = target.spec.linux?.namespaces ?? [];
  if (target.pid <= 0) throw new LapError("failedPrecondition", "ERR_LAP_NOT_RUNNING", "the container is not running");
  const warnings: string[] = [];
  const cgroups = cgroupsOf(target, facts);
  const user = process.user ?? {};
  const { ops: filter } = seccompFor(target.spec, facts, {
    id: target.id,
    bundle: options.oci?.bundle,
    pid: target.pid,
  });
  const affinity = execAffinity(process);
  const early = earlyPaths(target, facts);
  const ops: PlanOp[] = [
    ...affinity.before,
    ...cgroups.v1.map((group): PlanOp => ({ op: "cgroupJoin", path: `${group.path}/tasks` })),
    ...affinity.after,
    ...labelOps(process, target.spec.linux ?? {}, facts, warnings, options.oci !== undefined),
    {
      op: "joinTarget",
      pid: target.pid,
      startTime: BigInt(target.pidStartTime),
      flags: joinFlags(namespaces, early.length > 0),
    },
    ...(namespaces.some(({ type }) => type === "user") ? [{ op: "mappedRoot" }] : []),
    ...rlimitOps(process.rlimits ?? [], facts),
    ...attributeOps(process, target.spec.linux ?? {}),
    ...memoryPolicyOps(target.spec.linux ?? {}),
    { op: "stdio", uid: user.uid ?? 0, gid: user.gid ?? 0, console: newlineFlag(options) },
    { op: "keyring", name: "_ses" },
    ...credentialOps(process, facts, warnings, filter, isLonely(target.spec, facts)),
    ...programOps(process, filter),
  ];
  const hasUser = namespaces.some(({ type }) => type === "user");
  const hasPid = namespaces.some(({ type }) => type === "pid");
  return {
    version: PLAN_VERSION,
    options,
    shim: requireShim(facts),
    cloneFlags: 0,
    pidNamespace: hasPid ? `/proc/${target.pid}/ns/pid` : undefined,
    userNamespace: hasUser ? `/proc/${target.pid}/ns/user` : undefined,
    earlyNamespaces: early,
    uidMap: [],
    gidMap: [],
    idHelpers: undefined,
    denySetgroups: false,
    cgroups,
    netDevices: [],
    ops,
    warnings,
  };
}
