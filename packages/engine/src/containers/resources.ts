// The limits of a request -> the resources block of the runtime specification, and what can be wrong with them in docker's words.
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { LapError, errorCode, type ResourcesSpec, type RlimitSpec, type ThrottleSpec } from "@lapstrake/base";
import type { DeviceNumber, LimitRequest } from "./request-limits.ts";

const CPU_PERIOD_US = 100_000;
const MIN_MEMORY_BYTES = 6 * 1024 * 1024;
const UNLIMITED = 2 ** 64;

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Fields without a value are left out. */
function defined<T extends object>(fields: T): Defined<T> | undefined {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined);
  return kept.length === 0 ? undefined : (Object.fromEntries(kept) as Defined<T>);
}

/** The block without devices. Throws `ERR_LAP_DEVICE` for a block device that is none. */
export function limitResources(request: LimitRequest): ResourcesSpec {
  const { memoryBytes, memorySwapBytes, cpus, cpuPeriodUs, cpuQuotaUs, pidsLimit } = request;
  const memory = defined({
    limit: memoryBytes,
    swap: memorySwapBytes ?? (memoryBytes === undefined ? undefined : memoryBytes * 2),
    reservation: request.memoryReservationBytes,
    swappiness: request.memorySwappiness,
    disableOOMKiller: request.oomKillDisable === true ? true : undefined,
  });
  const cpu = defined({
    shares: request.cpuShares,
    period: cpus === undefined ? cpuPeriodUs : CPU_PERIOD_US,
    quota: cpus === undefined ? cpuQuotaUs : Math.round(cpus * CPU_PERIOD_US),
    realtimePeriod: request.cpuRtPeriodUs,
    realtimeRuntime: request.cpuRtRuntimeUs,
    cpus: request.cpusetCpus,
    mems: request.cpusetMems,
  });
  const blockIO = defined({
    weight: request.blkioWeight,
    weightDevice: request.blkioWeightDevices?.map((each) => ({ ...deviceNumber(each.path), weight: each.value })),
    throttleReadBpsDevice: rates(request.deviceReadBps),
    throttleWriteBpsDevice: rates(request.deviceWriteBps),
    throttleReadIOPSDevice: rates(request.deviceReadIops),
    throttleWriteIOPSDevice: rates(request.deviceWriteIops),
  });
  const pids = pidsLimit === undefined ? undefined : { limit: pidsLimit };
  return { ...defined({ memory, cpu, blockIO, pids }) };
}

function rates(devices: readonly DeviceNumber[] | undefined): ThrottleSpec[] | undefined {
  return devices?.map(({ path, value }) => ({ ...deviceNumber(path), rate: value }));
}

/** Numbers of a device node, from stat(2). Throws `ERR_LAP_DEVICE`. */
export function deviceNumber(path: string): { readonly major: number; readonly minor: number } {
  try {
    return splitDevice(statSync(path).rdev);
  } catch (cause) {
    const why = errorCode(cause) === "ENOENT" ? "no such file or directory" : String(errorCode(cause));
    throw new LapError("invalidArgument", "ERR_LAP_DEVICE", `stat ${path}: ${why}`, { cause });
  }
}

/** dev_t of the kernel's stat(2) -> its two numbers: makedev(3). */
export function splitDevice(rdev: number): { readonly major: number; readonly minor: number } {
  const number = BigInt(rdev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
  const minor = (number & 0xffn) | ((number >> 12n) & ~0xffn);
  return { major: Number(major), minor: Number(minor & 0xffff_ffffn) };
}

/** The process's own limits. */
export function rlimits({ ulimits }: LimitRequest): RlimitSpec[] {
  return (ulimits ?? []).map(({ name, soft, hard }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft: soft < 0 ? UNLIMITED : soft,
    hard: hard < 0 ? UNLIMITED : hard,
  }));
}

/** Throws a LapError of kind invalidArgument in docker's words. */
export function checkLimits(request: LimitRequest): void {
  checkMemory(request);
  checkCpu(request);
  checkCpuset("cpus", request.cpusetCpus, availableParallelism());
  checkCpuset("mems", request.cpusetMems, undefined);
  const { blkioWeight, oomScoreAdj } = request;
  if (blkioWeight !== undefined && blkioWeight !== 0 && (blkioWeight < 10 || blkioWeight > 1000)) {
    throw invalid("ERR_LAP_IO_LIMIT", "Range of blkio weight is from 10 to 1000");
  }
  if (oomScoreAdj !== undefined && Math.abs(oomScoreAdj) > 1000) {
    throw invalid("ERR_LAP_OOM_SCORE", `Invalid value ${oomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
}

function checkMemory(request: LimitRequest): void {
  const { memoryBytes: limit, memorySwapBytes: swap, memoryReservationBytes: reservation, memorySwappiness } = request;
  const wrong = (text: string): LapError => invalid("ERR_LAP_MEMORY_LIMIT", text);
  if (limit !== undefined && limit < MIN_MEMORY_BYTES) throw wrong("Minimum memory limit allowed is 6MB");
  if (swap !== undefined && swap > 0 && limit === undefined)
    throw wrong("You should always set the Memory limit when using Memoryswap limit, see usage");
  if (swap !== undefined && swap > 0 && limit !== undefined && swap < limit)
    throw wrong("Minimum memoryswap limit should be larger than memory limit, see usage");
  if (memorySwappiness !== undefined && (memorySwappiness < 0 || memorySwappiness > 100))
    throw wrong(`Invalid value: ${memorySwappiness}, valid memory swappiness range is 0-100`);
  if (reservation === undefined) return;
  if (reservation < MIN_MEMORY_BYTES) throw wrong("Minimum memory reservation allowed is 6MB");
  if (limit !== undefined && reservation > limit)
    throw wrong("Minimum memory limit can not be less than memory reservation limit, see usage");
}

function checkCpu({ cpus, cpuPeriodUs, cpuQuotaUs, cpuShares, cpuRtPeriodUs, cpuRtRuntimeUs }: LimitRequest): void {
  const wrong = (text: string): LapError => invalid("ERR_LAP_CPU_LIMIT", text);
  const there = availableParallelism();
  if (cpus !== undefined && cpuPeriodUs !== undefined)
    throw wrong("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (cpus !== undefined && cpuQuotaUs !== undefined)
    throw wrong("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  if (cpus !== undefined && !(cpus >= 0.01 && cpus <= there))
    throw wrong(`Range of CPUs is from 0.01 to ${there.toFixed(2)}, as there are only ${there} CPUs available`);
  if (cpuShares !== undefined && cpuShares < 0)
    throw wrong(`invalid CPU shares (${cpuShares}): value must be a positive integer`);
  if (cpuPeriodUs !== undefined && cpuPeriodUs !== 0 && (cpuPeriodUs < 1000 || cpuPeriodUs > 1_000_000))
    throw wrong("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  if (cpuQuotaUs !== undefined && cpuQuotaUs > 0 && cpuQuotaUs < 1000)
    throw wrong("CPU cfs quota can not be less than 1ms (i.e. 1000)");
  if (cpuRtPeriodUs !== undefined && cpuRtRuntimeUs !== undefined && cpuRtRuntimeUs > cpuRtPeriodUs)
    throw wrong("cpu real-time runtime cannot be higher than cpu real-time period");
}

/** `0-2,4`; `count` is how many there are, undefined when that is not known. */
function checkCpuset(what: "cpus" | "mems", text: string | undefined, count: number | undefined): void {
  if (text === undefined || text === "") return;
  const wrong = (message: string): LapError => invalid("ERR_LAP_CPU_LIMIT", message);
  if (!/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text)) throw wrong(`Invalid value ${text} for cpuset ${what}`);
  const highest = Math.max(...text.split(/[,-]/).map(Number));
  if (count !== undefined && highest >= count) {
    const available = count === 1 ? "0" : `0-${count - 1}`;
    throw wrong(`Requested CPUs are not available - requested ${text}, available: ${available}`);
  }
}

function invalid(code: string, message: string): LapError {
  return new LapError("invalidArgument", code, message);
}
