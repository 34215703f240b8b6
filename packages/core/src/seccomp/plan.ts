// The seccomp part of a launch plan: linux.seccomp → the operation that installs the filter. Where it stands among the
// others is the plan's to say: last before exec with no_new_privs, else while CAP_SYS_ADMIN is still there (seccomp(2)).
import { LapError, type RuntimeSpec, type SeccompSpec } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";
import type { PlanOp } from "../plan/types.ts";
import { cachedSeccomp } from "./cache.ts";
import type { CompiledSeccomp } from "./types.ts";

/** Operations that install the filter (none without `linux.seccomp`) and what to tell the person. */
export interface SeccompPlan {
  readonly ops: readonly PlanOp[];
  readonly warnings: readonly string[];
}

/** Whose filter it is: what an agent is told of it. */
export interface SeccompOwner {
  readonly id: string;
  /** Absolute path; the agent is told "" when there is none. */
  readonly bundle?: string | undefined;
  /** Pid of the container's first process, for a process that is added to it. */
  readonly pid?: number;
}

// The helper puts the new process's pid here: a character that JSON never holds bare.
const PID_MARK = "\u0001";

// config-linux.md "The Container Process State".
function agentState(spec: RuntimeSpec, profile: SeccompSpec, owner: SeccompOwner): string {
  const state = {
    ociVersion: spec.ociVersion,
    id: owner.id,
    status: owner.pid === undefined ? "creating" : "running",
    bundle: owner.bundle ?? "",
    annotations: spec.annotations,
  };
  const outer = { ociVersion: spec.ociVersion, fds: ["seccompFd"], metadata: profile.listenerMetadata };
  const first = `"pid":${owner.pid ?? PID_MARK}`;
  return `{"pid":${PID_MARK},"state":{${first},${JSON.stringify(state).slice(1)},${JSON.stringify(outer).slice(1)}`;
}

function notifyOp(spec: RuntimeSpec, profile: SeccompSpec, owner: SeccompOwner, compiled: CompiledSeccomp): PlanOp {
  const path = profile.listenerPath ?? "";
  if (!path.startsWith("/")) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_SPEC_INVALID",
      `linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs the absolute path of an agent's socket, not "${path}"`,
    );
  }
  const state = agentState(spec, profile, owner);
  return { op: "seccompNotify", flags: compiled.flags, filter: compiled.program, path, state };
}

/** The filter of a spec; calls newer than its profile get ENOSYS, as under runc. Throws what `compileSeccomp` throws. */
export function seccompFor(spec: RuntimeSpec, facts: Pick<HostFacts, "arch">, owner: SeccompOwner): SeccompPlan {
  const profile = spec.linux?.seccomp;
  if (profile === undefined || profile === null) return { ops: [], warnings: [] };
  const compiled = cachedSeccomp(profile, { arch: facts.arch, newer: "enosys" });
  const op = compiled.listener
    ? notifyOp(spec, profile, owner, compiled)
    : { op: "seccomp", flags: compiled.flags, filter: compiled.program };
  return { ops: [op], warnings: compiled.warnings };
}
