// What runc's `events` prints of a container: the names and units are its, clients parse them (go-runc, its types/events.go).
// Read from v1 and v2 files alike.
import { join } from "node:path";
import { groupDirs, keyed, number, pids, text, type Dirs, type GroupDir } from "./read.ts";

/** v1's own word for no limit, the largest that a JSON number holds exactly. */
const NO_LIMIT = 9_223_372_036_854_771_712;

type Json = Readonly<Record<string, unknown>>;

function limitOf(path: string): number {
  const given = text(path).trim();
  return given === "" ? 0 : given === "max" ? NO_LIMIT : Number(given);
}

function pressure(dir: GroupDir | undefined, file: string): Json {
  const lines = dir?.version === 2 ? text(join(dir.dir, file)) : "";
  const found = [...lines.matchAll(/^(some|full) avg10=(\S+) avg60=(\S+) avg300=(\S+) total=(\d+)$/gm)];
  if (found.length === 0) return {};
  const one = ([, kind, ...values]: RegExpExecArray): [string, Json] => {
    const [avg10, avg60, avg300, total] = values.map(Number);
    return [kind!, { avg10, avg60, avg300, total }];
  };
  return { psi: Object.fromEntries(found.map(one)) };
}

function throttling(stat: ReadonlyMap<string, number>): Json {
  return {
    periods: stat.get("nr_periods") ?? 0,
    throttledPeriods: stat.get("nr_throttled") ?? 0,
    throttledTime: stat.get("throttled_time") ?? (stat.get("throttled_usec") ?? 0) * 1000,
  };
}

function percpu(dir: string, name: string, key: string): Json {
  const values = text(join(dir, name)).trim().split(/\s+/).filter(Boolean).map(Number);
  return values.length === 0 ? {} : { [key]: values };
}

function cpuUsage(dirs: Dirs, stat: ReadonlyMap<string, number>): Json {
  if (dirs("cpu")?.version === 2) {
    const ns = (key: string): number => (stat.get(key) ?? 0) * 1000;
    return { total: ns("usage_usec"), kernel: ns("system_usec"), user: ns("user_usec") };
  }
  const dir = dirs("cpuacct")?.dir ?? "";
  const file = (name: string): number => number(join(dir, name));
  return {
    total: file("cpuacct.usage"),
    ...percpu(dir, "cpuacct.usage_percpu", "percpu"),
    ...percpu(dir, "cpuacct.usage_percpu_sys", "percpu_kernel"),
    ...percpu(dir, "cpuacct.usage_percpu_user", "percpu_user"),
    kernel: file("cpuacct.usage_sys"),
    user: file("cpuacct.usage_user"),
  };
}

function cpu(dirs: Dirs): Json {
  const own = dirs("cpu");
  const stat = own === undefined ? new Map<string, number>() : keyed(join(own.dir, "cpu.stat"));
  return { usage: cpuUsage(dirs, stat), throttling: throttling(stat), ...pressure(own, "cpu.pressure") };
}

function entryV1(dir: string, prefix: string): Json {
  const file = (name: string): string => join(dir, `${prefix}.${name}`);
  return {
    limit: limitOf(file("limit_in_bytes")),
    usage: number(file("usage_in_bytes")),
    max: number(file("max_usage_in_bytes")),
    failcnt: number(file("failcnt")),
  };
}

function memoryV1(dir: string, stat: ReadonlyMap<string, number>): Json {
  return {
    cache: stat.get("cache") ?? 0,
    usage: entryV1(dir, "memory"),
    swap: entryV1(dir, "memory.memsw"),
    kernel: entryV1(dir, "memory.kmem"),
    kernelTCP: entryV1(dir, "memory.kmem.tcp"),
    raw: Object.fromEntries(stat),
  };
}

// v1 counts memory and swap together, and so does the field.
function memoryV2(dir: string, stat: ReadonlyMap<string, number>): Json {
  const [limit, swapLimit] = [limitOf(join(dir, "memory.max")), limitOf(join(dir, "memory.swap.max"))];
  const [usage, swap] = [number(join(dir, "memory.current")), number(join(dir, "memory.swap.current"))];
  const failcnt = keyed(join(dir, "memory.events")).get("max") ?? 0;
  return {
    cache: stat.get("file") ?? 0,
    usage: { limit, usage, max: number(join(dir, "memory.peak")), failcnt },
    swap: { limit: Math.min(limit + swapLimit, NO_LIMIT), usage: usage + swap, failcnt: 0 },
    kernel: { limit: 0, usage: stat.get("kernel") ?? 0, failcnt: 0 },
    raw: Object.fromEntries(stat),
  };
}

function memory(dirs: Dirs): Json {
  const own = dirs("memory");
  if (own === undefined) return {};
  const stat = keyed(join(own.dir, "memory.stat"));
  const figures = (own.version === 2 ? memoryV2 : memoryV1)(own.dir, stat);
  return { ...figures, ...pressure(own, "memory.pressure") };
}

interface BlockEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

function blockV1(file: string): BlockEntry[] {
  const lines = [...text(file).matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)];
  return lines.map(([, major, minor, op, value]) => ({
    major: Number(major),
    minor: Number(minor),
    op: op!,
    value: Number(value),
  }));
}

function blockV2(lines: string, read: string, write: string): BlockEntry[] {
  return [...lines.matchAll(/^(\d+):(\d+) (.*)$/gm)].flatMap(([, major, minor, rest = ""]) => {
    const values = new Map(rest.split(" ").map((pair) => [pair.split("=")[0]!, Number(pair.split("=")[1])]));
    const entry = (op: string, key: string): BlockEntry[] =>
      values.has(key) ? [{ major: Number(major), minor: Number(minor), op, value: values.get(key)! }] : [];
    return [...entry("Read", read), ...entry("Write", write)];
  });
}

function blkio(dirs: Dirs): Json {
  const own = dirs("blkio");
  if (own === undefined) return {};
  const stat = own.version === 2 ? text(join(own.dir, "io.stat")) : "";
  const v1 = (name: string): BlockEntry[] => blockV1(join(own.dir, `blkio.throttle.${name}_recursive`));
  return {
    ioServiceBytesRecursive: own.version === 2 ? blockV2(stat, "rbytes", "wbytes") : v1("io_service_bytes"),
    ioServicedRecursive: own.version === 2 ? blockV2(stat, "rios", "wios") : v1("io_serviced"),
    ...pressure(own, "io.pressure"),
  };
}

function hugetlb(dirs: Dirs, sizes: readonly string[]): Json {
  const own = dirs("hugetlb");
  if (own === undefined) return {};
  const [usage, max] = own.version === 2 ? ["current", ""] : ["usage_in_bytes", "max_usage_in_bytes"];
  const one = (size: string): [string, Json] => {
    const file = (name: string): string => join(own.dir, `hugetlb.${size}.${name}`);
    const failcnt = own.version === 2 ? (keyed(file("events")).get("max") ?? 0) : number(file("failcnt"));
    return [size, { usage: number(file(usage!)), ...(max === "" ? {} : { max: number(file(max!)) }), failcnt }];
  };
  return Object.fromEntries(sizes.map(one));
}

/** Usage of a container's cgroups now, sizes in bytes, times in nanoseconds; `pageSizes` as in `hugetlb.2MB.max`. */
export function cgroupReport(
  cgroupsPath: string | undefined,
  id: string,
  pageSizes: readonly string[],
): Readonly<Record<string, unknown>> {
  const dirs = groupDirs(cgroupsPath, id);
  return {
    cpu: cpu(dirs),
    memory: memory(dirs),
    pids: pids(dirs),
    blkio: blkio(dirs),
    hugetlb: hugetlb(dirs, pageSizes),
    intel_rdt: {},
    network_interfaces: null,
  };
}
