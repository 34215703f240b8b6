// `lap top`: the machine's own ps, kept to the processes of the container (docker's way, so that every option of ps works).
import { spawnSync } from "node:child_process";
import { LapError } from "@lapstrake/base";
import { containerPids } from "@lapstrake/engine";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";

const WIDTH = 20;

export const topCommand: Command = {
  name: "top",
  usage: "CONTAINER [ps OPTIONS]",
  summary: "Display the running processes of a container",
  aliases: ["lap container top", "lap top"],
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: false,
  errorExitCode: 1,
  flags: [],
  run({ args: [target = "", ...psArgs], global }) {
    const engine = engineFor(global);
    const pids = new Set(containerPids(engine, engine.find(target)));
    const rows = listed(psArgs.length === 0 ? ["-ef"] : psArgs).filter((row, at) => at === 0 || pids.has(row.pid));
    out(rows.map(({ cells }) => psLine(cells)).join(""));
    return Promise.resolve(0);
  },
};

export interface Row {
  readonly pid: number;
  readonly cells: readonly string[];
}

/** What ps says, its header first; the last column is the rest of the line. Throws `ERR_LAP_PS`. */
function listed(psArgs: readonly string[]): Row[] {
  const { status, stdout, stderr, error } = spawnSync("ps", psArgs, { encoding: "utf8", maxBuffer: 2 ** 26 });
  if (error !== undefined || status !== 0) {
    const why = error?.message ?? stderr.trim();
    throw new LapError("unavailable", "ERR_LAP_PS", `error running ps: ${why}`, { cause: error });
  }
  return psRows(stdout);
}

/** Output of ps as rows. Throws `ERR_LAP_PS` for one without process ids. */
export function psRows(stdout: string): Row[] {
  const lines = stdout.split("\n").filter((text) => text !== "");
  const header = (lines[0] ?? "").trim().split(/\s+/);
  const column = header.indexOf("PID");
  if (column < 0) throw new LapError("invalidArgument", "ERR_LAP_PS", "Couldn't find PID field in ps output");
  return lines.map((text) => {
    const words = text.trim().split(/\s+/);
    const last = header.length - 1;
    const cells = words.length <= header.length ? words : [...words.slice(0, last), words.slice(last).join(" ")];
    return { pid: Number(cells[column]), cells };
  });
}

/** Cells at least twenty wide, as docker pads them here. */
export function psLine(cells: readonly string[]): string {
  return `${cells.map((cell, at) => (at === cells.length - 1 ? cell : cell.padEnd(WIDTH))).join("")}\n`;
}
