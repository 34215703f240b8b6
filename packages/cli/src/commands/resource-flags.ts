// The flags of run and create about limits, devices, kernel parameters and shared namespaces, and what they make of a CreateRequest.
import { LapError, parseSize } from "@lapstrake/base";
import type { CreateRequest, DeviceNumber, DeviceRequest, UlimitRequest } from "@lapstrake/engine";
import { checkMode } from "../args/checks.ts";
import type { FlagReader } from "../args/parse.ts";
import type { Flag } from "../args/types.ts";

const device = (long: string, help: string, parse: (text: string) => unknown): Flag => ({
  long,
  kind: "list",
  help: `${help} (default [])`,
  check: parse,
});

/** Sorted into those of run and create. */
export const RESOURCE_FLAGS: readonly Flag[] = [
  {
    long: "blkio-weight",
    kind: "int",
    valueName: "uint16",
    help: "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)",
  },
  device("blkio-weight-device", "Block IO weight (relative device weight)", parseWeight),
  { long: "cgroup-parent", kind: "string", help: "Optional parent cgroup for the container" },
  { long: "cgroupns", kind: "string", help: "Cgroup namespace to use (host|private)" },
  { long: "cpu-period", kind: "int", help: "Limit CPU CFS (Completely Fair Scheduler) period" },
  { long: "cpu-quota", kind: "int", help: "Limit CPU CFS (Completely Fair Scheduler) quota" },
  { long: "cpu-rt-period", kind: "int", help: "Limit CPU real-time period in microseconds" },
  { long: "cpu-rt-runtime", kind: "int", help: "Limit CPU real-time runtime in microseconds" },
  { long: "cpu-shares", short: "c", kind: "int", help: "CPU shares (relative weight)" },
  { long: "cpus", kind: "decimal", help: "Number of CPUs" },
  { long: "cpuset-cpus", kind: "string", help: "CPUs in which to allow execution (0-3, 0,1)" },
  { long: "cpuset-mems", kind: "string", help: "MEMs in which to allow execution (0-3, 0,1)" },
  { long: "device", kind: "list", help: "Add a host device to the container", check: parseDevice },
  {
    long: "device-cgroup-rule",
    kind: "list",
    help: "Add a rule to the cgroup allowed devices list",
    check: checkDeviceRule,
  },
  device("device-read-bps", "Limit read rate (bytes per second) from a device", parseBps),
  device("device-read-iops", "Limit read rate (IO per second) from a device", parseIops),
  device("device-write-bps", "Limit write rate (bytes per second) to a device", parseBps),
  device("device-write-iops", "Limit write rate (IO per second) to a device", parseIops),
  { long: "ipc", kind: "string", help: "IPC mode to use" },
  { long: "memory", short: "m", kind: "bytes", help: "Memory limit" },
  { long: "memory-reservation", kind: "bytes", help: "Memory soft limit" },
  {
    long: "memory-swap",
    kind: "bytes",
    help: "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
  },
  { long: "memory-swappiness", kind: "int", help: "Tune container memory swappiness (0 to 100) (default -1)" },
  { long: "oom-kill-disable", kind: "bool", help: "Disable OOM Killer" },
  { long: "oom-score-adj", kind: "int", help: "Tune host's OOM preferences (-1000 to 1000)" },
  { long: "pid", kind: "string", help: "PID namespace to use" },
  { long: "pids-limit", kind: "int", help: "Tune container pids limit (set -1 for unlimited)" },
  {
    long: "sysctl",
    kind: "list",
    valueName: "map",
    help: "Sysctl options (default map[])",
    check: checkSysctl,
  },
  { long: "ulimit", kind: "list", valueName: "ulimit", help: "Ulimit options (default [])", check: parseUlimit },
  { long: "uts", kind: "string", help: "UTS namespace to use" },
];

/** The fields that are asked for. */
export function resourceRequest(read: FlagReader): Partial<CreateRequest> {
  const numbers = (name: string): number | undefined => nonZero(read.number(name));
  const numberOf = (name: string, parse: (text: string) => DeviceNumber): DeviceNumber[] | undefined =>
    read.has(name) ? read.list(name).map(parse) : undefined;
  const swappiness = read.number("memory-swappiness");
  const wanted = {
    memoryBytes: numbers("memory"),
    memorySwapBytes: numbers("memory-swap"),
    memoryReservationBytes: numbers("memory-reservation"),
    memorySwappiness: swappiness === -1 ? undefined : swappiness,
    oomKillDisable: read.bool("oom-kill-disable") ? true : undefined,
    oomScoreAdj: numbers("oom-score-adj"),
    pidsLimit: read.number("pids-limit"),
    cpus: numbers("cpus"),
    cpuShares: numbers("cpu-shares"),
    cpuPeriodUs: numbers("cpu-period"),
    cpuQuotaUs: numbers("cpu-quota"),
    cpuRtPeriodUs: numbers("cpu-rt-period"),
    cpuRtRuntimeUs: numbers("cpu-rt-runtime"),
    cpusetCpus: nonEmpty(read.text("cpuset-cpus")),
    cpusetMems: nonEmpty(read.text("cpuset-mems")),
    blkioWeight: numbers("blkio-weight"),
    blkioWeightDevices: numberOf("blkio-weight-device", parseWeight),
    deviceReadBps: numberOf("device-read-bps", parseBps),
    deviceWriteBps: numberOf("device-write-bps", parseBps),
    deviceReadIops: numberOf("device-read-iops", parseIops),
    deviceWriteIops: numberOf("device-write-iops", parseIops),
    ulimits: read.has("ulimit") ? lastOfEach(read.list("ulimit").map(parseUlimit)) : undefined,
    devices: read.has("device") ? read.list("device").map(parseDevice) : undefined,
    deviceCgroupRules: read.has("device-cgroup-rule") ? read.list("device-cgroup-rule") : undefined,
    sysctls: read.has("sysctl") ? Object.fromEntries(read.list("sysctl").map(pairOf)) : undefined,
    ipc: nonEmpty(read.text("ipc")),
    pid: nonEmpty(read.text("pid")),
    uts: nonEmpty(read.text("uts")),
    cgroupns: nonEmpty(read.text("cgroupns")),
    cgroupParent: nonEmpty(read.text("cgroup-parent")),
  };
  const container = /^container:./;
  checkMode("pid", "PID", read.text("pid"), container);
  checkMode("uts", "UTS", read.text("uts"), container);
  checkMode("cgroupns", "CGROUP", read.text("cgroupns"), /^private$/);
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

function nonZero(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

/** Soft and hard limits that Go's units package knows. */
const ULIMITS = "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(
  " ",
);

/** `nofile=1024[:2048]`. */
export function parseUlimit(text: string): UlimitRequest {
  const at = text.indexOf("=");
  const [name, limits] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || limits === "") throw wrong(`invalid ulimit argument: ${text}`);
  if (!ULIMITS.includes(name)) throw wrong(`invalid ulimit type: ${name}`);
  const parts = limits.split(":");
  if (parts.length > 2)
    throw wrong(`too many limit value arguments - ${limits}, can only have up to two, \`soft[:hard]\``);
  const [soft, hard = soft] = parts.map(limitNumber) as [number, number?];
  if (hard !== -1 && (soft === -1 || soft > hard!))
    throw wrong(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  return { name, soft, hard: hard! };
}

function limitNumber(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw wrong(`strconv.ParseInt: parsing "${text}": invalid syntax`);
}

function lastOfEach(limits: readonly UlimitRequest[]): UlimitRequest[] {
  return [...new Map(limits.map((limit) => [limit.name, limit])).values()];
}

const OWN_SYSCTLS = "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni";
const SYSCTLS = new Set([...OWN_SYSCTLS.split(" "), "kernel.shm_rmid_forced"]);

/** Only what belongs to a namespace of the container's own. */
function checkSysctl(text: string): void {
  const [name] = pairOf(text);
  const isOwn = SYSCTLS.has(name) || name.startsWith("net.") || name.startsWith("fs.mqueue.");
  if (!text.includes("=") || !isOwn) throw wrong(`sysctl '${text}' is not allowed`);
}

function pairOf(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** `SOURCE[:TARGET][:rwm]`. */
export function parseDevice(text: string): DeviceRequest {
  if (/^[^/]+\/[^/=]+=./.test(text)) {
    throw wrong(`"${text}" names a CDI device, which is not supported: name the device node, as in /dev/fuse`);
  }
  const [source = "", second, third, ...rest] = text.split(":");
  if (source === "" || rest.length > 0) throw wrong(`invalid device specification: ${text}`);
  const isMode = second !== undefined && third === undefined && isPermissions(second);
  const target = second === undefined || second === "" || isMode ? source : second;
  const permissions = isMode ? second : (third ?? "rwm");
  if (!isPermissions(permissions)) throw wrong(`invalid device mode: ${permissions}`);
  if (!source.startsWith("/") || !target.startsWith("/"))
    throw wrong(`${source.startsWith("/") ? target : source} is not an absolute path`);
  return { source, target, permissions };
}

function isPermissions(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}

function checkDeviceRule(text: string): void {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text)) throw wrong(`invalid device cgroup format '${text}'`);
}

/** `/dev/sda:VALUE`. */
function parseDeviceValue(text: string): { readonly path: string; readonly value: string } {
  const [path = "", value = "", ...rest] = text.split(":");
  if (path === "" || value === "" || rest.length > 0) throw wrong(`bad format: ${text}`);
  if (!path.startsWith("/dev/")) throw wrong(`bad format for device path: ${text}`);
  return { path, value };
}

function parseWeight(text: string): DeviceNumber {
  const { path, value } = parseDeviceValue(text);
  const weight = Number(value);
  if (!/^\d+$/.test(value) || (weight > 0 && (weight < 10 || weight > 1000)))
    throw wrong(`invalid weight for device: ${text}`);
  return { path, value: weight };
}

function parseBps(text: string): DeviceNumber {
  const { path, value } = parseDeviceValue(text);
  try {
    return { path, value: parseSize(value) };
  } catch (error) {
    if (!(error instanceof LapError)) throw error;
    const form =
      "The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb";
    throw wrong(`invalid rate for device: ${text}. ${form}`);
  }
}

function parseIops(text: string): DeviceNumber {
  const { path, value } = parseDeviceValue(text);
  if (/^\d+$/.test(value)) return { path, value: Number(value) };
  throw wrong(
    `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
  );
}

function wrong(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", message);
}
