// What a container has used, from its cgroup files, v1 and v2 alike; the shape is runc's `events --stats`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostFacts } from "../facts/host.ts";
import { cgroupPath } from "./plan.ts";
import { controllerMount } from "./resources.ts";

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

const UNLIMITED = 2 ** 62;

type Dirs = (controller: string) => { readonly dir: string; readonly version: 1 | 2 } | undefined;

function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // A file of another kernel or controller counts as nothing used.
    return "";
  }
}

function number(path: string): number {
  const value = Number(text(path).trim());
  return Number.isFinite(value) && value < UNLIMITED ? value : 0;
}

function keyed(path: string): Map<string, number> {
  return new Map(
    text(path)
      .split("\n")
      .map((line) => [line.split(" ")[0]!, Number(line.split(" ")[1] ?? 0)]),
  );
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

function memory(dirs: Dirs): CgroupStats["memory"] & { oomKills: number } {
  const own = dirs("memory");
  if (own === undefined) return { usage: { usage: 0, limit: 0, max: 0 }, cache: 0, oomKills: 0 };
  const [usage, limit, max] =
    own.version === 2
      ? ["memory.current", "memory.max", "memory.peak"]
      : ["memory.usage_in_bytes", "memory.limit_in_bytes", "memory.max_usage_in_bytes"];
  const stat = keyed(join(own.dir, "memory.stat"));
  const events = keyed(join(own.dir, own.version === 2 ? "memory.events" : "memory.oom_control"));
  const cache = stat.get("total_inactive_file") ?? stat.get("inactive_file") ?? 0;
  return {
    usage: {
      usage: number(join(own.dir, usage!)),
      limit: number(join(own.dir, limit!)),
      max: number(join(own.dir, max!)),
    },
    cache,
    oomKills: events.get("oom_kill") ?? 0,
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
  const facts = hostFacts();
  const path = cgroupPath(cgroupsPath, id);
  const dirs: Dirs = (controller) => {
    const mount = controllerMount(facts, controller);
    return mount === undefined ? undefined : { dir: join(mount.mountPoint, path), version: mount.version };
  };
  const { oomKills, ...used } = memory(dirs);
  const pids = dirs("pids")?.dir ?? "";
  return {
    cpu: cpu(dirs),
    memory: used,
    pids: { current: number(join(pids, "pids.current")), limit: number(join(pids, "pids.max")) },
    blkio: blkio(dirs),
    oomKills,
  };
}
