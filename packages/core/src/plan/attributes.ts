// Attributes of the process beside its credentials: labels, scheduler, io priority, personality, time offsets; and the
// fields of the specification that are refused, by name, because nothing here would honour them.
import { LapError, type LinuxSpec, type ProcessSpec, type RuntimeSpec } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";
import { CLONE_NEWTIME } from "../sys/flags.ts";
import type { NamespacePlan } from "./namespaces.ts";
import type { PlanOp } from "./types.ts";

const POLICIES: readonly string[] = [
  "SCHED_OTHER",
  "SCHED_FIFO",
  "SCHED_RR",
  "SCHED_BATCH",
  "SCHED_ISO",
  "SCHED_IDLE",
  "SCHED_DEADLINE",
];
const DEADLINE = 6;
const SCHEDULER_FLAGS: Readonly<Record<string, bigint>> = {
  SCHED_FLAG_RESET_ON_FORK: 1n,
  SCHED_FLAG_RECLAIM: 2n,
  SCHED_FLAG_DL_OVERRUN: 4n,
  SCHED_FLAG_KEEP_POLICY: 8n,
  SCHED_FLAG_KEEP_PARAMS: 16n,
  SCHED_FLAG_UTIL_CLAMP_MIN: 32n,
  SCHED_FLAG_UTIL_CLAMP_MAX: 64n,
};
const IO_CLASSES: readonly string[] = ["", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];
const PER_LINUX32 = 8;

function invalid(field: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `${field}: ${why}`, { detail: { field } });
}

function unsupported(field: string, hint: string): LapError {
  return new LapError("unimplemented", "ERR_LAP_UNSUPPORTED", `${field} is not supported`, { hint, detail: { field } });
}

/** Throws `ERR_LAP_UNSUPPORTED` for a field that would otherwise be ignored. */
export function refuseUnsupported(spec: RuntimeSpec): void {
  const { linux } = spec;
  if (linux?.intelRdt !== undefined)
    throw unsupported("linux.intelRdt", "remove it: resctrl groups are not managed here");
}

// sched(7): 1 µs <= runtime <= deadline <= period; a period of 0 is the deadline.
function checkDeadline(runtime: number, deadline: number, period: number): void {
  const field = "process.scheduler";
  if (runtime < 1024) throw invalid(`${field}.runtime`, "SCHED_DEADLINE needs at least 1024 ns");
  if (deadline < runtime) throw invalid(`${field}.deadline`, `${deadline} is below the runtime ${runtime}`);
  if (period !== 0 && period < deadline)
    throw invalid(`${field}.period`, `${period} is below the deadline ${deadline}`);
}

function schedulerOp(process: ProcessSpec): PlanOp[] {
  const { scheduler } = process;
  if (scheduler === undefined) return [];
  const policy = POLICIES.indexOf(scheduler.policy);
  if (policy < 0 || policy === 4) throw invalid("process.scheduler.policy", `unknown policy "${scheduler.policy}"`);
  let flags = 0n;
  for (const name of scheduler.flags ?? []) {
    const bit = Object.hasOwn(SCHEDULER_FLAGS, name) ? SCHEDULER_FLAGS[name]! : undefined;
    if (bit === undefined) throw invalid("process.scheduler.flags", `unknown flag "${name}"`);
    flags |= bit;
  }
  const { nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler;
  if (policy === DEADLINE) checkDeadline(runtime, deadline, period);
  return [
    {
      op: "scheduler",
      policy,
      flags,
      nice,
      priority,
      runtime: BigInt(runtime),
      deadline: BigInt(deadline),
      period: BigInt(period),
    },
  ];
}

function ioPriorityOp(process: ProcessSpec): PlanOp[] {
  if (process.ioPriority === undefined) return [];
  const { class: name, priority = 0 } = process.ioPriority;
  return [{ op: "ioprio", value: (IO_CLASSES.indexOf(name) << 13) | priority }];
}

function personalityOp(linux: LinuxSpec): PlanOp[] {
  const { personality } = linux;
  if (personality === undefined) return [];
  if ((personality.flags?.length ?? 0) > 0)
    throw unsupported("linux.personality.flags", "the specification defines none");
  return [{ op: "personality", persona: personality.domain === "LINUX32" ? PER_LINUX32 : 0 }];
}

/** Scheduler, io priority and personality, set while still privileged. */
export function attributeOps(process: ProcessSpec, linux: LinuxSpec): PlanOp[] {
  return [...schedulerOp(process), ...ioPriorityOp(process), ...personalityOp(linux)];
}

// The engine refuses a profile it cannot set; engines above the OCI command line name one blindly, so there it only warns, as crun does.
function missingAppArmor(isOci: boolean, warnings: string[]): void {
  if (!isOci) {
    throw new LapError(
      "failedPrecondition",
      "ERR_LAP_NO_APPARMOR",
      "process.apparmorProfile: this host has no AppArmor",
      {
        hint: "remove the profile, or boot a kernel with AppArmor (see lap doctor)",
      },
    );
  }
  warnings.push("the AppArmor profile is ignored: this host has no AppArmor");
}

/** Labels that take effect at exec; SELinux labels without SELinux only warn, as every runtime does. */
export function labelOps(
  process: ProcessSpec,
  linux: LinuxSpec,
  facts: HostFacts,
  warnings: string[],
  isOci: boolean,
): PlanOp[] {
  const ops: PlanOp[] = [];
  const profile = process.apparmorProfile ?? "";
  if (profile !== "" && profile !== "unconfined" && !facts.apparmor) missingAppArmor(isOci, warnings);
  if (profile !== "" && facts.apparmor)
    ops.push({ op: "writeSelf", path: "/proc/self/attr/apparmor/exec", value: `exec ${profile}` });
  const label = process.selinuxLabel ?? "";
  if (label !== "" && facts.selinux) ops.push({ op: "writeSelf", path: "/proc/self/attr/exec", value: label });
  if ((label !== "" || (linux.mountLabel ?? "") !== "") && !facts.selinux) {
    warnings.push("SELinux labels are ignored: this host has no SELinux");
  }
  if ((linux.mountLabel ?? "") !== "" && facts.selinux) {
    throw unsupported("linux.mountLabel", "label the root filesystem beforehand");
  }
  return ops;
}

/** The time namespace: unshared, its clocks set, entered (time_namespaces(7)). */
export function timeOps(linux: LinuxSpec, namespaces: NamespacePlan): PlanOp[] {
  const offsets = Object.entries(linux.timeOffsets ?? {});
  if (!namespaces.isNew.has("time")) {
    if (offsets.length > 0) throw invalid("linux.timeOffsets", "offsets need a new time namespace");
    return [];
  }
  const lines = offsets.map(([clock, { secs = 0, nanosecs = 0 }]) => {
    if (clock !== "monotonic" && clock !== "boottime") throw invalid("linux.timeOffsets", `unknown clock "${clock}"`);
    return `${clock} ${secs} ${nanosecs}\n`;
  });
  const unshare: PlanOp = { op: "unshare", flags: CLONE_NEWTIME };
  const offset: PlanOp = { op: "writeSelf", path: "/proc/self/timens_offsets", value: lines.join("") };
  // Before 6.3 exec did not enter it, and a process between two of them cannot vfork.
  const enter: PlanOp = { op: "setns", type: CLONE_NEWTIME, path: "/proc/self/ns/time_for_children" };
  return [unshare, ...(lines.length === 0 ? [] : [offset]), enter];
}
