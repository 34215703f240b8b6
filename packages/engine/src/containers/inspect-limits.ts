// The part of docker's HostConfig about limits and devices, in its order and with its zero values.
import type { CreateRequest } from "./request.ts";
import type { DeviceNumber } from "./request-limits.ts";

type Shown = Readonly<Record<string, unknown>>;

const NANO = 1e9;

/** From `CpuShares` to `IOMaximumBandwidth`. */
export function limitFields(request: CreateRequest): Shown {
  const memory = request.memoryBytes ?? 0;
  return {
    CpuShares: request.cpuShares ?? 0,
    Memory: memory,
    NanoCpus: Math.round((request.cpus ?? 0) * NANO),
    CgroupParent: request.cgroupParent ?? "",
    BlkioWeight: request.blkioWeight ?? 0,
    BlkioWeightDevice: numbers(request.blkioWeightDevices, "Weight"),
    BlkioDeviceReadBps: numbers(request.deviceReadBps, "Rate"),
    BlkioDeviceWriteBps: numbers(request.deviceWriteBps, "Rate"),
    BlkioDeviceReadIOps: numbers(request.deviceReadIops, "Rate"),
    BlkioDeviceWriteIOps: numbers(request.deviceWriteIops, "Rate"),
    CpuPeriod: request.cpuPeriodUs ?? 0,
    CpuQuota: request.cpuQuotaUs ?? 0,
    CpuRealtimePeriod: request.cpuRtPeriodUs ?? 0,
    CpuRealtimeRuntime: request.cpuRtRuntimeUs ?? 0,
    CpusetCpus: request.cpusetCpus ?? "",
    CpusetMems: request.cpusetMems ?? "",
    Devices: (request.devices ?? []).map(({ source, target, permissions }) => ({
      PathOnHost: source,
      PathInContainer: target,
      CgroupPermissions: permissions,
    })),
    DeviceCgroupRules: request.deviceCgroupRules ?? null,
    DeviceRequests: null,
    MemoryReservation: request.memoryReservationBytes ?? 0,
    MemorySwap: request.memorySwapBytes ?? memory * 2,
    MemorySwappiness: request.memorySwappiness ?? null,
    OomKillDisable: request.oomKillDisable ?? false,
    PidsLimit: request.pidsLimit ?? null,
    Ulimits: (request.ulimits ?? []).map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}

function numbers(devices: readonly DeviceNumber[] | undefined, unit: string): Shown[] {
  return (devices ?? []).map(({ path, value }) => ({ Path: path, [unit]: value }));
}
