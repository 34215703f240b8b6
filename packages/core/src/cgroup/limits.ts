// The resources block of the spec as cgroup files: one row per field, v1 and v2 side by side.
// config-linux.md "Control groups"; cgroup-v2.rst; cgroup-v1/*.rst.
import type { ResourcesSpec } from "@lapstrake/base";

/** A file of a controller's directory and what to write there. */
export type FileValue = readonly [file: string, value: string];

/** One field of the resources block. */
export interface LimitRow {
  /** Name in the spec, for errors. */
  readonly field: string;
  /** The controller that must be there. */
  readonly controller: string;
  readonly v1: (resources: ResourcesSpec) => readonly FileValue[];
  readonly v2: (resources: ResourcesSpec) => readonly FileValue[];
}

type Read = (resources: ResourcesSpec) => number | string | undefined;

/** The v2 side of a field that another row writes too. */
const WITH_QUOTA = (): readonly FileValue[] => [];
/** The v2 side of a limit that only v1 has. */
export const NOT_ON_V2 = (): readonly FileValue[] => [];

// Engines write 0 where they mean nothing: such a value of these fields is not a limit.
function nonZero(read: Read): Read {
  return (resources) => {
    const value = read(resources);
    return value === 0 ? undefined : value;
  };
}

function one(file: string, read: Read, format: (value: number | string) => string = String): LimitRow["v1"] {
  return (resources) => {
    const value = read(resources);
    return value === undefined || value === "" ? [] : [[file, format(value)]];
  };
}

/** v2 writes "max" where v1 writes -1. */
function max(value: number | string): string {
  return Number(value) < 0 ? "max" : String(value);
}

function pidsMax(value: number | string): string {
  return Number(value) <= 0 ? "max" : String(value);
}

// The kernel's shares 2..262144 onto weights 1..10000, as runc converts them.
function weightOfShares(value: number | string): string {
  const shares = Math.min(Math.max(Number(value), 2), 262144);
  return String(1 + Math.floor(((shares - 2) * 9999) / 262142));
}

// Swap in the spec counts memory and swap together, as v1 does; v2 counts swap alone.
function swapMax(resources: ResourcesSpec): readonly FileValue[] {
  const { limit, swap } = resources.memory ?? {};
  if (swap === undefined || swap === 0) return [];
  if (swap < 0) return [["memory.swap.max", "max"]];
  return [["memory.swap.max", String(Math.max(0, swap - Math.max(limit ?? 0, 0)))]];
}

function cpuMax(resources: ResourcesSpec): readonly FileValue[] {
  const { quota, period } = resources.cpu ?? {};
  if ((quota ?? 0) === 0 && (period ?? 0) === 0) return [];
  const allowed = quota === undefined || quota <= 0 ? "max" : String(quota);
  return [["cpu.max", `${allowed} ${period === undefined || period === 0 ? 100_000 : period}`]];
}

type Throttle =
  | "throttleReadBpsDevice"
  | "throttleWriteBpsDevice"
  | "throttleReadIOPSDevice"
  | "throttleWriteIOPSDevice";

function throttleRow(field: Throttle, v1File: string, v2Key: string): LimitRow {
  const write = (
    resources: ResourcesSpec,
    file: string,
    format: (device: string, rate: number) => string,
  ): FileValue[] =>
    (resources.blockIO?.[field] ?? []).map(({ major, minor, rate }) => [file, format(`${major}:${minor}`, rate)]);
  return {
    field: `blockIO.${field}`,
    controller: "blkio",
    v1: (resources) => write(resources, v1File, (device, rate) => `${device} ${rate}`),
    v2: (resources) => write(resources, "io.max", (device, rate) => `${device} ${v2Key}=${rate === 0 ? "max" : rate}`),
  };
}

function weightDevices(resources: ResourcesSpec, file: string): FileValue[] {
  return (resources.blockIO?.weightDevice ?? [])
    .filter((device) => device.weight !== undefined)
    .map(({ major, minor, weight }) => [file, `${major}:${minor} ${weight}`]);
}

// What a mapping reserves is limited too: mmap(2) then says ENOMEM, where a page that is missing later would be a SIGBUS.
function hugepages(resources: ResourcesSpec, suffix: string): FileValue[] {
  return (resources.hugepageLimits ?? []).flatMap(({ pageSize, limit }): FileValue[] => [
    [`hugetlb.${pageSize}.${suffix}`, String(limit)],
    [`hugetlb.${pageSize}.rsvd.${suffix}`, String(limit)],
  ]);
}

function rdma(resources: ResourcesSpec): FileValue[] {
  return Object.entries(resources.rdma ?? {}).map(([device, { hcaHandles, hcaObjects }]) => [
    "rdma.max",
    `${device} hca_handle=${hcaHandles ?? "max"} hca_object=${hcaObjects ?? "max"}`,
  ]);
}

const memory = (key: "limit" | "reservation" | "swap" | "kernelTCP" | "swappiness"): Read => {
  return (resources) => resources.memory?.[key];
};
const cpu = (
  key: "shares" | "quota" | "period" | "burst" | "realtimeRuntime" | "realtimePeriod" | "idle" | "cpus" | "mems",
): Read => {
  return (resources) => resources.cpu?.[key];
};
const shares: Read = nonZero(cpu("shares"));
const swap: Read = nonZero(memory("swap"));
const disableOom: Read = ({ memory: block }) => (block?.disableOOMKiller === true ? 1 : undefined);

/** Rows in the order of writing: a limit before the swap limit that may not be below it, a period before its quota. */
export const LIMIT_ROWS: readonly LimitRow[] = [
  {
    field: "memory.limit",
    controller: "memory",
    v1: one("memory.limit_in_bytes", nonZero(memory("limit"))),
    v2: one("memory.max", nonZero(memory("limit")), max),
  },
  { field: "memory.swap", controller: "memory", v1: one("memory.memsw.limit_in_bytes", swap), v2: swapMax },
  {
    field: "memory.reservation",
    controller: "memory",
    v1: one("memory.soft_limit_in_bytes", nonZero(memory("reservation"))),
    v2: one("memory.low", nonZero(memory("reservation")), max),
  },
  {
    field: "memory.kernelTCP",
    controller: "memory",
    v1: one("memory.kmem.tcp.limit_in_bytes", nonZero(memory("kernelTCP"))),
    v2: NOT_ON_V2,
  },
  {
    field: "memory.swappiness",
    controller: "memory",
    v1: one("memory.swappiness", memory("swappiness")),
    v2: NOT_ON_V2,
  },
  { field: "memory.disableOOMKiller", controller: "memory", v1: one("memory.oom_control", disableOom), v2: NOT_ON_V2 },
  {
    field: "cpu.shares",
    controller: "cpu",
    v1: one("cpu.shares", shares),
    v2: one("cpu.weight", shares, weightOfShares),
  },
  { field: "cpu.period", controller: "cpu", v1: one("cpu.cfs_period_us", nonZero(cpu("period"))), v2: WITH_QUOTA },
  { field: "cpu.quota", controller: "cpu", v1: one("cpu.cfs_quota_us", nonZero(cpu("quota"))), v2: cpuMax },
  {
    field: "cpu.burst",
    controller: "cpu",
    v1: one("cpu.cfs_burst_us", cpu("burst")),
    v2: one("cpu.max.burst", cpu("burst")),
  },
  {
    field: "cpu.realtimePeriod",
    controller: "cpu",
    v1: one("cpu.rt_period_us", nonZero(cpu("realtimePeriod"))),
    v2: NOT_ON_V2,
  },
  {
    field: "cpu.realtimeRuntime",
    controller: "cpu",
    v1: one("cpu.rt_runtime_us", nonZero(cpu("realtimeRuntime"))),
    v2: NOT_ON_V2,
  },
  { field: "cpu.idle", controller: "cpu", v1: one("cpu.idle", cpu("idle")), v2: one("cpu.idle", cpu("idle")) },
  { field: "cpu.cpus", controller: "cpuset", v1: one("cpuset.cpus", cpu("cpus")), v2: one("cpuset.cpus", cpu("cpus")) },
  { field: "cpu.mems", controller: "cpuset", v1: one("cpuset.mems", cpu("mems")), v2: one("cpuset.mems", cpu("mems")) },
  {
    field: "pids.limit",
    controller: "pids",
    v1: one("pids.max", (r) => r.pids?.limit, pidsMax),
    v2: one("pids.max", (r) => r.pids?.limit, pidsMax),
  },
  {
    field: "blockIO.weight",
    controller: "blkio",
    v1: one(
      "blkio.bfq.weight",
      nonZero((r) => r.blockIO?.weight),
    ),
    v2: one(
      "io.bfq.weight",
      nonZero((r) => r.blockIO?.weight),
    ),
  },
  {
    field: "blockIO.weightDevice",
    controller: "blkio",
    v1: (r) => weightDevices(r, "blkio.bfq.weight_device"),
    v2: (r) => weightDevices(r, "io.bfq.weight"),
  },
  throttleRow("throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps"),
  throttleRow("throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps"),
  throttleRow("throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops"),
  throttleRow("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops"),
  {
    field: "hugepageLimits",
    controller: "hugetlb",
    v1: (r) => hugepages(r, "limit_in_bytes"),
    v2: (r) => hugepages(r, "max"),
  },
  {
    field: "network.classID",
    controller: "net_cls",
    v1: one(
      "net_cls.classid",
      nonZero((r) => r.network?.classID),
    ),
    v2: one(
      "net_cls.classid",
      nonZero((r) => r.network?.classID),
    ),
  },
  { field: "network.priorities", controller: "net_prio", v1: priorities, v2: priorities },
  { field: "rdma", controller: "rdma", v1: rdma, v2: rdma },
];

function priorities(resources: ResourcesSpec): readonly FileValue[] {
  return (resources.network?.priorities ?? []).map(({ name, priority }) => [
    "net_prio.ifpriomap",
    `${name} ${priority}`,
  ]);
}
