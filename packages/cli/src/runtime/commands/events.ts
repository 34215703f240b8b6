// events: what a container uses, every interval, and its out-of-memory kills as they happen; one JSON document a line, runc's.
import { readdirSync } from "node:fs";
import { errorCode, LapError } from "@lapstrake/base";
import { cgroupReport, oomKills } from "@lapstrake/core";
import type { Command } from "../command.ts";
import type { RuntimeContext } from "../context.ts";
import { isOn, onlyWord, value } from "../flags.ts";
import { load, loadSpec, requireStatus, statusOf, type Kept } from "../state.ts";

/** How late a kill is told, at most. */
const LOOK_MS = 100;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const KIB_PER_MIB = 1024;
const KIB_PER_GIB = KIB_PER_MIB * 1024;

// Go's notation, as far as anyone waits: 100ms, 1.5s, 2m.
function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = match === null ? 0 : Number(match[1]) * UNIT_MS[match[2]!]!;
  if (ms > 0) return ms;
  throw new LapError(
    "invalidArgument",
    "ERR_LAP_USAGE",
    `--interval: "${text}" is not a duration above 0, such as 500ms or 5s`,
  );
}

// As the files of the hugetlb controller are named.
function pageSizes(): string[] {
  try {
    const sizes = readdirSync("/sys/kernel/mm/hugepages").map((name) => Number(/\d+/.exec(name)?.[0] ?? 0));
    return sizes.map((kib) =>
      kib >= KIB_PER_GIB ? `${kib / KIB_PER_GIB}GB` : kib >= KIB_PER_MIB ? `${kib / KIB_PER_MIB}MB` : `${kib}KB`,
    );
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

function tell(event: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function follow(context: RuntimeContext, kept: Kept, intervalMs: number, stats: () => void): Promise<void> {
  const { id } = kept;
  const path = loadSpec(context.root, id).linux?.cgroupsPath;
  let told = oomKills(path, id);
  for (let next = performance.now() + intervalMs; ;) {
    const hasEnded = statusOf(context.root, kept) === "stopped";
    for (const kills = oomKills(path, id); told < kills; told++) tell({ type: "oom", id });
    if (hasEnded) return;
    if (performance.now() >= next) {
      stats();
      next += intervalMs;
    }
    await new Promise((done) => setTimeout(done, Math.min(LOOK_MS, Math.max(next - performance.now(), 1))));
  }
}

export const events: Command = {
  table: { flags: { stats: "switch", interval: "value" } },
  async run(context, parsed) {
    const id = onlyWord(parsed, "the container's id");
    const kept = load(context.root, id);
    const intervalMs = durationMs(value(parsed, "interval") ?? "5s");
    requireStatus(context.root, kept, ["created", "running", "paused"], "read the events of");
    const path = loadSpec(context.root, id).linux?.cgroupsPath;
    const sizes = pageSizes();
    const stats = (): void => tell({ type: "stats", id, data: cgroupReport(path, id, sizes) });
    // Whoever read them has gone.
    process.stdout.on("error", () => process.exit(0));
    if (isOn(parsed, "stats")) stats();
    else await follow(context, kept, intervalMs, stats);
    return 0;
  },
};
