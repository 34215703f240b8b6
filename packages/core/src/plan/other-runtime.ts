// A container that another OCI runtime makes, as a launch plan: the helper mounts the root filesystem in a mount namespace of its own,
// runs the runtime's commands there and adopts the process that they leave (native/src/op_runtime.c). Pure, as `compile` is.
import type { HostFacts } from "../facts/types.ts";
import type { Bundle, LaunchOptions } from "../launch/types.ts";
import { planCgroups } from "../cgroup/plan.ts";
import { CLONE_NEWNS, MS_SLAVE } from "../sys/flags.ts";
import { SYNC_CREATE_RUNTIME } from "./hooks.ts";
import { rootOps, rootTarget } from "./root.ts";
import { requireShim } from "./shim.ts";
import { PLAN_VERSION, type CgroupPlan, type LaunchPlan, type PlanOp } from "./types.ts";

/** What is run, by absolute path first, in `dir`; relative names below are there. */
export interface RuntimeCommands {
  readonly dir: string;
  readonly env: readonly string[];
  /** Makes the first process; with a terminal it sends the master to `tty.sock`. */
  readonly create: readonly string[];
  /** Where `create` writes the pid of the process. */
  readonly pidFile: string;
  /** Lets the process go; absent when `create` has already. */
  readonly start?: readonly string[];
}

/** The directory on which the container's root filesystem is mounted while `create` runs: the bundle's `root.path`. */
export function runtimeRoot({ rootfs }: Bundle): string {
  return rootTarget(rootfs);
}

// The runtime makes the directories and writes the limits, on v1 in the hierarchies with controllers alone: there its process stays
// in the unified one where we are.
function cgroupsOf({ spec }: Bundle, id: string, facts: HostFacts, isOwned: boolean): CgroupPlan {
  const plan = planCgroups(spec, id, facts);
  const isHybrid = plan.v1.length > 0;
  return { ...plan, v1: [], v2: isHybrid ? plan.v2 : undefined, isOwned, writes: [], deviceRules: undefined };
}

function planOf(
  bundle: Bundle,
  facts: HostFacts,
  options: LaunchOptions,
  isNew: boolean,
  ops: readonly PlanOp[],
): LaunchPlan {
  return {
    version: PLAN_VERSION,
    options,
    shim: requireShim(facts),
    cloneFlags: isNew ? CLONE_NEWNS : 0,
    pidNamespace: undefined,
    userNamespace: undefined,
    earlyNamespaces: [],
    uidMap: [],
    gidMap: [],
    idHelpers: undefined,
    denySetgroups: false,
    cgroups: cgroupsOf(bundle, options.id, facts, isNew),
    netDevices: [],
    ops,
    warnings: [],
  };
}

function runOp(args: readonly string[], env: readonly string[], console: boolean): PlanOp {
  return { op: "runtime", args, env, console: console ? 1 : 0 };
}

function createOps(commands: RuntimeCommands, options: LaunchOptions): PlanOp[] {
  return [
    { op: "chdir", path: commands.dir, early: 0 },
    runOp(commands.create, commands.env, options.stdio === "pty"),
    { op: "adopt", pidFile: commands.pidFile },
  ];
}

/** Compiles a container; throws `ERR_LAP_TOO_MANY_LAYERS`, `ERR_LAP_SPEC_INVALID`, `ERR_LAP_NATIVE_MISSING`. */
export function compileOther(
  bundle: Bundle,
  commands: RuntimeCommands & { readonly start: readonly string[] },
  facts: HostFacts,
  options: LaunchOptions,
): LaunchPlan {
  const { rootfs } = bundle;
  return planOf(bundle, facts, options, true, [
    { op: "propagation", flags: MS_SLAVE },
    ...rootOps(rootfs, rootTarget(rootfs), { uidMap: [], gidMap: [] }),
    ...createOps(commands, options),
    ...(options.awaitCaller === true ? [{ op: "sync", stage: SYNC_CREATE_RUNTIME }] : []),
    runOp(commands.start, commands.env, false),
    { op: "leave" },
  ]);
}

/** Compiles a further process of such a container; `commands.create` is the runtime's `exec --detach`. */
export function compileOtherExec(
  bundle: Bundle,
  commands: RuntimeCommands,
  facts: HostFacts,
  options: LaunchOptions,
): LaunchPlan {
  return planOf(bundle, facts, options, false, [...createOps(commands, options), { op: "leave" }]);
}
