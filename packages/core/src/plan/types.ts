// The launch plan: everything the native helper does, in order, as plain values. `compile` makes it, `encodePlan` turns it
// into the bytes that native/src/plan.h reads, `formatPlan` into the text that golden tests and `--debug=plan` show.
import type { DeviceRule } from "../cgroup/devices.ts";
import type { LaunchOptions } from "../launch/types.ts";

/** Version of the plan on the wire; native/src/plan.h asserts the same number. */
export const PLAN_VERSION = 2;

/** A value of an operation's field: numbers (u32), bigint (u64), text, lists of text, bytes. */
export type PlanValue = number | bigint | string | readonly string[] | readonly number[] | Uint8Array;

/** One operation: its name in `OPS` and its fields. */
export interface PlanOp {
  readonly op: string;
  readonly [field: string]: PlanValue;
}

/** One file to write before the launch: a cgroup limit. `controller` names it in errors. */
export interface CgroupWrite {
  readonly path: string;
  readonly value: string;
  readonly controller: string;
  /** The spec field that asked for it. */
  readonly field: string;
}

/** Cgroup directories of the container; made by the launch, joined by the child itself. */
export interface CgroupPlan {
  /** v1 directories, joined by writing "0" to `tasks`. */
  readonly v1: readonly { readonly controllers: readonly string[]; readonly path: string }[];
  /** Directory in a v2 hierarchy, joined by CLONE_INTO_CGROUP; undefined when there is none. */
  readonly v2: string | undefined;
  readonly writes: readonly CgroupWrite[];
  /** Rules for a BPF program on the v2 directory, where no v1 devices controller holds them. */
  readonly deviceRules: readonly DeviceRule[] | undefined;
  /** False for an exec: the directories are the container's, not made and not removed. */
  readonly isOwned: boolean;
  /** `cgroup.freeze` (v2) or `freezer.state` (v1) of the container; undefined when it cannot be paused. */
  readonly freezerFile: string | undefined;
  /** `memory.events` (v2) or `memory.oom_control` (v1); undefined when nobody counts OOM kills. */
  readonly oomFile: string | undefined;
}

/** A network device of the caller's that the container gets, and its name there ("%d": a free number). */
export interface NetDevicePlan {
  readonly name: string;
  readonly inside: string;
}

/** A launch as data. */
export interface LaunchPlan {
  readonly version: number;
  readonly options: LaunchOptions;
  readonly shim: string;
  /** CLONE_NEW* flags of the container's first process. */
  readonly cloneFlags: number;
  /** Path of a pid namespace to join instead of a new one. */
  readonly pidNamespace: string | undefined;
  /** Path of a user namespace to join before it: an exec into a container that has one. */
  readonly userNamespace: string | undefined;
  /** Paths of namespaces to join before any user namespace, whose root has no right to them. */
  readonly earlyNamespaces: readonly string[];
  /** Triples of container id, host id, size; empty without a user namespace. */
  readonly uidMap: readonly number[];
  readonly gidMap: readonly number[];
  /** Programs that write the maps for a caller without privilege: newuidmap(1), newgidmap(1). */
  readonly idHelpers: { readonly uid: string; readonly gid: string } | undefined;
  /** The caller may write its single-id gid map only with setgroups denied. */
  readonly denySetgroups: boolean;
  readonly cgroups: CgroupPlan;
  /** Moved while the container stands and waits for its caller. */
  readonly netDevices: readonly NetDevicePlan[];
  readonly ops: readonly PlanOp[];
  /** What was reduced and why (capabilities outside the bounding set …): to be shown to the person. */
  readonly warnings: readonly string[];
}
