// `lap stats`: what containers use, in docker's arithmetic: per cent of one CPU between two looks, memory without the cache that
// can be dropped.
import { setTimeout as sleep } from "node:timers/promises";
import { formatBinarySize, formatSize } from "@lapstrake/base";
import { containerUsage, shortId, type ContainerRecord, type ContainerUsage, type Engine } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { errorText } from "../errors.ts";
import { engineFor } from "../open.ts";
import { err, out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";

const INTERVAL_MS = 1000;
const CLEAR = "\x1b[H\x1b[J";
const PERCENT = 100;
/** 128 + SIGINT. */
const INTERRUPTED = 130;

export const statsCommand: Command = {
  name: "stats",
  usage: "[OPTIONS] [CONTAINER...]",
  summary: "Display a live stream of container(s) resource usage statistics",
  aliases: ["lap container stats", "lap stats"],
  minArgs: 0,
  maxArgs: Infinity,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "all", short: "a", kind: "bool", help: "Show all containers (default shows just running)" },
    { long: "format", kind: "string", help: "Format output: a Go template, `table TEMPLATE` or `json`" },
    { long: "no-stream", kind: "bool", help: "Disable streaming stats and only pull the first result" },
    { long: "no-trunc", kind: "bool", help: "Do not truncate output" },
  ],
  run: stats,
};

async function stats({ flags, args, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  const engine = engineFor(global);
  const once = read.bool("no-stream");
  if (!allThere(engine, args)) return 1;
  process.once("SIGINT", () => process.exit(INTERRUPTED));
  let before = look(engine, args, read.bool("all"));
  for (;;) {
    await sleep(INTERVAL_MS);
    const now = look(engine, args, read.bool("all"));
    const rows = now.map((each) => statsRow(each, before, read.bool("no-trunc")));
    out(`${once || !process.stdout.isTTY ? "" : CLEAR}${shown(rows, read.text("format"))}`);
    if (once) return 0;
    before = now;
  }
}

/** Says every one that is not. */
function allThere(engine: Engine, names: readonly string[]): boolean {
  const missing = names.flatMap((name) => {
    try {
      engine.find(name);
      return [];
    } catch (error) {
      return [`${errorText(error)}\n`];
    }
  });
  err(missing.join(""));
  return missing.length === 0;
}

export interface Look {
  readonly record: ContainerRecord;
  /** Undefined when it does not run. */
  readonly usage: ContainerUsage | undefined;
}

function look(engine: Engine, names: readonly string[], all: boolean): Look[] {
  const records =
    names.length > 0
      ? names.map((name) => engine.find(name))
      : engine
          .list()
          .filter(({ status }) => all || status.state === "running" || status.state === "paused")
          .map(({ record }) => record);
  return records.map((record) => ({ record, usage: containerUsage(engine, record) }));
}

const HEADERS: Readonly<Record<string, string>> = {
  ID: "CONTAINER ID",
  Name: "NAME",
  CPUPerc: "CPU %",
  MemUsage: "MEM USAGE / LIMIT",
  MemPerc: "MEM %",
  NetIO: "NET I/O",
  BlockIO: "BLOCK I/O",
  PIDs: "PIDS",
};

function shown(rows: readonly Readonly<Record<string, string>>[], format: string | undefined): string {
  if (format !== undefined && format !== "table")
    return formatRows(format, rows, "formatter.statsContext", "", HEADERS);
  const keys = Object.keys(HEADERS);
  return table(
    Object.values(HEADERS),
    rows.map((fields) => keys.map((key) => fields[key]!)),
  );
}

export function statsRow({ record, usage }: Look, before: readonly Look[], noTrunc: boolean): Record<string, string> {
  const id = noTrunc ? record.id : shortId(record.id);
  const last = before.find((each) => each.record.id === record.id)?.usage;
  const names = { Container: id, ID: id, Name: record.name };
  if (usage === undefined) {
    const none = { CPUPerc: "--", MemUsage: "-- / --", MemPerc: "--", NetIO: "--", BlockIO: "--", PIDs: "--" };
    return { ...names, ...none };
  }
  const memory = `${formatBinarySize(usage.memoryBytes)} / ${formatBinarySize(usage.memoryLimitBytes)}`;
  return {
    ...names,
    CPUPerc: percent(last === undefined ? 0 : cpuShare(last, usage)),
    MemUsage: memory,
    MemPerc: percent(usage.memoryBytes / usage.memoryLimitBytes),
    NetIO: `${formatSize(usage.receivedBytes)} / ${formatSize(usage.sentBytes)}`,
    BlockIO: `${formatSize(usage.readBytes)} / ${formatSize(usage.writtenBytes)}`,
    PIDs: String(usage.pids),
  };
}

function cpuShare(before: ContainerUsage, now: ContainerUsage): number {
  const elapsed = now.atNs - before.atNs;
  return elapsed <= 0 ? 0 : Math.max(0, now.cpuNs - before.cpuNs) / elapsed;
}

function percent(share: number): string {
  return `${(share * PERCENT).toFixed(2)}%`;
}
