// `lap system check`: what killed processes, full disks and damaged files left in the store, and mending it.
import { checkEngine, type Finding } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";

export const systemCheckCommand: Command = {
  name: "system check",
  usage: "[OPTIONS]",
  summary: "Check the store and what containers left on the machine",
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "repair", kind: "bool", help: "Mend what can be mended; no other command may use the store meanwhile" },
    { long: "quick", kind: "bool", help: "Compare the sizes of blobs instead of hashing them" },
    {
      long: "older-than",
      kind: "duration",
      help: "Leave younger things alone, somebody may work on them (default 10m)",
    },
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const minAgeMs = read.number("older-than");
    const findings = await checkEngine(engineFor(global), {
      repair: read.bool("repair"),
      quick: read.bool("quick"),
      ...(minAgeMs === undefined ? {} : { minAgeMs }),
    });
    for (const finding of findings) out(`${line(finding)}\n`);
    const open = findings.filter(({ repaired }) => !repaired);
    out(summary(findings.length, open));
    return open.some(({ kind }) => kind !== "waste") ? 1 : 0;
  },
};

function line({ kind, subject, text, repaired }: Finding): string {
  return `${repaired ? "repaired" : kind}: ${subject}: ${text}`;
}

function summary(found: number, open: readonly Finding[]): string {
  if (found === 0) return "clean\n";
  if (open.length === 0) return `${found} repaired\n`;
  const waste = open.every(({ kind }) => kind === "waste");
  const next = waste ? "free the space with" : "mend what can be mended with";
  return `${found} found, ${found - open.length} repaired; ${next}: lap system check --repair\n`;
}
