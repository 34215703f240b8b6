// The seccomp part of a launch plan: linux.seccomp → the operation that installs the filter. Where it stands among the
// others is the plan's to say: last before exec with no_new_privs, else while CAP_SYS_ADMIN is still there (seccomp(2)).
import { LapError, type RuntimeSpec } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";
import type { PlanOp } from "../plan/types.ts";
import { cachedSeccomp } from "./cache.ts";

/** Operations that install the filter (none without `linux.seccomp`) and what to tell the person. */
export interface SeccompPlan {
  readonly ops: readonly PlanOp[];
  readonly warnings: readonly string[];
}

function refuseListener(path: string | undefined): never {
  throw new LapError(
    "unimplemented",
    "ERR_LAP_SECCOMP_NOTIFY",
    `linux.seccomp: SCMP_ACT_NOTIFY needs an agent behind listenerPath ("${path ?? ""}"), which is not supported`,
    { hint: "use SCMP_ACT_ERRNO or SCMP_ACT_TRACE in its place" },
  );
}

/** The filter of a spec; calls newer than its profile get ENOSYS, as under runc. Throws what `compileSeccomp` throws. */
export function seccompFor(spec: RuntimeSpec, facts: Pick<HostFacts, "arch">): SeccompPlan {
  const profile = spec.linux?.seccomp;
  if (profile === undefined || profile === null) return { ops: [], warnings: [] };
  const compiled = cachedSeccomp(profile, { arch: facts.arch, newer: "enosys" });
  if (compiled.listener) refuseListener(profile.listenerPath);
  return {
    ops: [{ op: "seccomp", flags: compiled.flags, filter: compiled.program }],
    warnings: compiled.warnings,
  };
}
