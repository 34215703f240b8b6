// What few containers ask for: further limits, devices, kernel parameters, shared namespaces. Loaded by those who do, so that a plain
// start does not pay for it; applied to the finished specification.
import { readFileSync } from "node:fs";
import { hostFacts } from "@lapstrake/core";
import { LapError, type RuntimeSpec } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import type { ContainerRecord } from "../state/record.ts";
import { cgroupOf } from "./bundle.ts";
import { deviceAccess } from "./devices.ts";
import type { CreateRequest } from "./request.ts";
import { checkLimits, limitResources, rlimits } from "./resources.ts";
import { checkSharing, sharedMounts, sharedNamespaces } from "./sharing.ts";

/** Throws a LapError of kind invalidArgument for what cannot be. */
export function checkExtras(request: CreateRequest): void {
  checkLimits(request);
  checkSharing(request);
  deviceAccess({ ...request, privileged: false });
  const { cgroupParent } = request;
  if (cgroupParent !== undefined && (!cgroupParent.startsWith("/") || cgroupParent.split("/").includes(".."))) {
    const message = `invalid cgroup parent "${cgroupParent}": it must be an absolute path without ".."`;
    throw new LapError("invalidArgument", "ERR_LAP_CGROUP_PARENT", message);
  }
}

/** Without CAP_SYS_RESOURCE a score cannot go below this process's own: proc(5), oom_score_adj. */
function allowedScore(context: EngineContext, wanted: number): number {
  const own = Number(readFileSync("/proc/self/oom_score_adj", "latin1"));
  if (wanted >= own || hostFacts().boundingCapabilities.includes("CAP_SYS_RESOURCE")) return wanted;
  context.logger.warn(
    `--oom-score-adj ${wanted} needs CAP_SYS_RESOURCE, which this machine does not give: ${own} it is`,
  );
  return own;
}

/** The specification with everything that {@link hasExtras} looks for. */
export function withExtras(context: EngineContext, record: ContainerRecord, spec: RuntimeSpec): RuntimeSpec {
  const { request } = record;
  const linux = spec.linux ?? {};
  const { devices, rules } = deviceAccess(request);
  const limits = rlimits(request);
  const { annotations, cgroupParent, oomScoreAdj, sysctls } = request;
  const alone = linux.namespaces ?? [];
  const { hostname, domainname, ...named } = spec;
  return {
    ...(request.uts === "host" ? named : { ...named, hostname, domainname }),
    ...(annotations === undefined ? {} : { annotations: { ...spec.annotations, ...annotations } }),
    process: {
      ...spec.process!,
      ...(oomScoreAdj === undefined ? {} : { oomScoreAdj: allowedScore(context, oomScoreAdj) }),
      ...(limits.length === 0 ? {} : { rlimits: limits }),
    },
    mounts: sharedMounts(context, request, spec.mounts ?? []),
    linux: {
      ...linux,
      ...(cgroupParent === undefined ? {} : { cgroupsPath: cgroupOf(record) }),
      ...(sysctls === undefined ? {} : { sysctl: { ...linux.sysctl, ...sysctls } }),
      namespaces: sharedNamespaces(context, request, alone),
      devices: [...(linux.devices ?? []), ...devices],
      resources: {
        ...linux.resources,
        ...limitResources(request),
        devices: [...(linux.resources?.devices ?? []), ...rules],
      },
    },
  } as RuntimeSpec;
}
