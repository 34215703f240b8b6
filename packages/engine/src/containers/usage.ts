// What a running container uses now, for `stats` and `top`: its cgroups (core) and the counters of its network namespace, which
// proc(5) shows by any of its processes.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { totalmem } from "node:os";
import { cgroupStats } from "@lapstrake/core";
import { LapError, errorCode, type RuntimeSpec } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import type { ContainerRecord } from "../state/record.ts";
import { SPEC_FILE } from "./bundle.ts";

/** Sizes in bytes; `cpuNs` since the start, `atNs` on a clock that only goes forward. */
export interface ContainerUsage {
  readonly atNs: number;
  readonly cpuNs: number;
  readonly memoryBytes: number;
  /** The machine's memory when there is no limit. */
  readonly memoryLimitBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** Of all interfaces but loopback, as the container sees them. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly pids: number;
}

/** Undefined for a container that does not run. */
export function containerUsage(engine: Engine, record: ContainerRecord): ContainerUsage | undefined {
  const status = engine.status(record);
  if (status.state !== "running" && status.state !== "paused") return undefined;
  const stats = cgroupStats(cgroupsPathOf(engine, record), record.id);
  const { usage, limit } = stats.memory.usage;
  const total = totalmem();
  return {
    atNs: Number(process.hrtime.bigint()),
    cpuNs: stats.cpu.usage.total,
    memoryBytes: Math.max(0, usage - stats.memory.cache),
    memoryLimitBytes: limit === 0 ? total : Math.min(limit, total),
    readBytes: stats.blkio.readBytes,
    writtenBytes: stats.blkio.writeBytes,
    ...networkBytes(status.pid),
    pids: stats.pids.current,
  };
}

/** Every process of a running container, by its pid here; the event `top`. Throws `ERR_LAP_NOT_RUNNING`. */
export function containerPids(engine: Engine, record: ContainerRecord): number[] {
  const { state } = engine.status(record);
  if (state !== "running" && state !== "paused") {
    throw new LapError("conflict", "ERR_LAP_NOT_RUNNING", `Container ${record.id} is not running`);
  }
  emitContainer(engine.context, record, "top");
  return pidsInCgroup(record.id);
}

/** Where its cgroups are, from the specification it was started with. */
function cgroupsPathOf(engine: Engine, record: ContainerRecord): string | undefined {
  const spec = JSON.parse(readFileSync(join(engine.dir(record), SPEC_FILE), "utf8")) as RuntimeSpec;
  return spec.linux?.cgroupsPath;
}

/** Cgroup paths end in the container's id or go on below it: cgroups(7), /proc/PID/cgroup. */
function pidsInCgroup(id: string): number[] {
  const isInside = new RegExp(`/${id}(?:/|$)`, "m");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isInside.test(procText(name, "cgroup")))
    .map(Number);
}

function networkBytes(pid: number): { readonly receivedBytes: number; readonly sentBytes: number } {
  return interfaceBytes(procText(String(pid), "net/dev"));
}

/** Sums of /proc/PID/net/dev over every interface but loopback: proc(5). */
export function interfaceBytes(text: string): { readonly receivedBytes: number; readonly sentBytes: number } {
  const lines = text.split("\n").slice(2);
  const counters = lines.flatMap((line) => {
    const [name = "", numbers = ""] = line.split(":");
    const fields = numbers.trim().split(/\s+/).map(Number);
    return name.trim() === "lo" || fields.length < 9 ? [] : [{ received: fields[0]!, sent: fields[8]! }];
  });
  return {
    receivedBytes: counters.reduce((sum, { received }) => sum + received, 0),
    sentBytes: counters.reduce((sum, { sent }) => sum + sent, 0),
  };
}

function procText(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ESRCH" || errorCode(error) === "EINVAL") return "";
    throw error; // anything else is no process that ended meanwhile
  }
}
