// `lap doctor`.
import { doctorFacts, type HostFact } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { colours } from "../output/colours.ts";
import { out } from "../output/print.ts";

const MARK: Readonly<Record<HostFact["verdict"], string>> = { ok: "ok     ", warn: "warn   ", missing: "missing" };
const COLOUR: Readonly<Record<HostFact["verdict"], string>> = { ok: "32", warn: "33", missing: "31" };

export const doctorCommand: Command = {
  name: "doctor",
  usage: "[OPTIONS]",
  summary: "Show what this machine can do, with a remedy for what it cannot",
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [{ long: "json", kind: "bool", help: "Print the facts as JSON" }],
  run({ flags }) {
    const facts = doctorFacts();
    if (readFlags(flags).bool("json")) out(`${JSON.stringify(facts, undefined, 2)}\n`);
    else out(facts.map(line).join(""));
    return Promise.resolve(0);
  },
};

function line(fact: HostFact): string {
  const mark = colours(process.stdout)(`\x1b[${COLOUR[fact.verdict]}m`, MARK[fact.verdict]);
  const value = Array.isArray(fact.value) ? fact.value.join(" ") : String(fact.value ?? "none");
  const remedy = fact.remedy === undefined ? "" : `\n          -> ${fact.remedy}`;
  return `${mark}  ${fact.title}: ${value}${remedy}\n`;
}
