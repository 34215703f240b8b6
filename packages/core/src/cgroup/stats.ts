// What a container has used, from its cgroup files, v1 and v2 alike: the figures that `stats` shows.
import { join } from "node:path";
import { groupDirs, keyed, number, pids, text, type Dirs, type GroupDir } from "./read.ts";

/** Sizes in bytes, times in nanoseconds; a limit of 0 is none. */
export interface CgroupStats {
  readonly cpu: {
    readonly usage: { readonly total: number; readonly user: number; readonly kernel: number };
    readonly throttling: {
      readonly periods: number;
      readonly throttledPeriods: number;
      readonly throttledTime: number;
    };
  };
  readonly memory: {
    readonly usage: { readonly usage: number; readonly limit: number; readonly max: number };
    readonly cache: number;
  };
  readonly pids: { readonly current: number; readonly limit: number };
  readonly blkio: { readonly readBytes: number; readonly writeBytes: number };
  readonly oomKills: number;
}

function cpu(dirs: Dirs): CgroupStats["cpu"] {
  const own = dirs("cpu");
  const stat = own === undefined ? new Map<string, number>() : keyed(join(own.dir, "cpu.stat"));
  const throttling = {
    periods: stat.get("nr_periods") ?? 0,
    throttledPeriods: stat.get("nr_throttled") ?? 0,
    throttledTime: stat.get("throttled_time") ?? (stat.get("throttled_usec") ?? 0) * 1000,
  };
  if (own?.version === 2) {
    const ns = (key: string): number => (stat.get(key) ?? 0) * 1000;
    return { usage: { total: ns("usage_usec"), user: ns("user_usec"), kernel: ns("system_usec") }, throttling };
  }
  const account = dirs("cpuacct")?.dir ?? "";
  const file = (name: string): number => number(join(account, name));
  return {
    usage: { total: file("cpuacct.usage"), user: file("cpuacct.usage_user"), kernel: file("cpuacct.usage_sys") },
    throttling,
  };
}

/** Out-of-memory kills in the container's cgroup so far. */
export function oomKills(cgroupsPath: string | undefined, id: string): number {
  return killsIn(groupDirs(cgroupsPath, id)("memory"));
}

function killsIn(own: GroupDir | undefined): number {
  if (own === undefined) return 0;
  return keyed(join(own.dir, own.version === 2 ? "memory.events" : "memory.oom_control")).get("oom_kill") ?? 0;
}

function memory(dirs: Dirs): CgroupStats["memory"] {
  const own = dirs("memory");
  if (own === undefined) return { usage: { usage: 0, limit: 0, max: 0 }, cache: 0 };
  const [usage, limit, max] =
    own.version === 2
      ? ["memory.current", "memory.max", "memory.peak"]
      : ["memory.usage_in_bytes", "memory.limit_in_bytes", "memory.max_usage_in_bytes"];
  const stat = keyed(join(own.dir, "memory.stat"));
  const cache = stat.get("total_inactive_file") ?? stat.get("inactive_file") ?? 0;
  return {
    usage: {
      usage: number(join(own.dir, usage!)),
      limit: number(join(own.dir, limit!)),
      max: number(join(own.dir, max!)),
    },
    cache,
  };
}

function blkio(dirs: Dirs): CgroupStats["blkio"] {
  const own = dirs("blkio");
  if (own === undefined) return { readBytes: 0, writeBytes: 0 };
  const source = text(join(own.dir, own.version === 2 ? "io.stat" : "blkio.throttle.io_service_bytes"));
  const sum = (pattern: RegExp): number =>
    [...source.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  if (own.version === 2) return { readBytes: sum(/rbytes=(\d+)/g), writeBytes: sum(/wbytes=(\d+)/g) };
  return { readBytes: sum(/Read (\d+)/g), writeBytes: sum(/Write (\d+)/g) };
}

/** Usage of a container's cgroups now; what cannot be read is 0. */
export function cgroupStats(cgroupsPath: string | undefined, id: string): CgroupStats {
  const dirs = groupDirs(cgroupsPath, id);
  return {
    cpu: cpu(dirs),
    memory: memory(dirs),
    pids: pids(dirs),
    blkio: blkio(dirs),
    oomKills: killsIn(dirs("memory")),
  };
}
