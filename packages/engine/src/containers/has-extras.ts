// Whether a request needs containers/extras.ts. Light: every create and start asks.
import type { LimitRequest, SharingRequest } from "./request-limits.ts";

type Extra = keyof LimitRequest | keyof SharingRequest;

/** The fields that containers/spec.ts does itself. */
type Plain = "memoryBytes" | "pidsLimit" | "cpus";

const EXTRAS: Readonly<Record<Exclude<Extra, Plain>, true>> = {
  memorySwapBytes: true,
  memoryReservationBytes: true,
  memorySwappiness: true,
  oomKillDisable: true,
  oomScoreAdj: true,
  cpuShares: true,
  cpuPeriodUs: true,
  cpuQuotaUs: true,
  cpuRtPeriodUs: true,
  cpuRtRuntimeUs: true,
  cpusetCpus: true,
  cpusetMems: true,
  blkioWeight: true,
  blkioWeightDevices: true,
  deviceReadBps: true,
  deviceWriteBps: true,
  deviceReadIops: true,
  deviceWriteIops: true,
  ulimits: true,
  devices: true,
  deviceCgroupRules: true,
  sysctls: true,
  ipc: true,
  pid: true,
  uts: true,
  cgroupns: true,
  cgroupParent: true,
  annotations: true,
};

/** True for a request with limits, devices or sharing beyond the plain ones. */
export function hasExtras(request: LimitRequest & SharingRequest & { readonly privileged?: boolean }): boolean {
  return request.privileged === true || Object.keys(request).some((key) => Object.hasOwn(EXTRAS, key));
}
