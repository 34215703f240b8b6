// `pnpm check`: format, native parts, lint, types, unit and arch tests; one line per step, the output of a step only when it fails.
import { spawnSync } from "node:child_process";
import { run, say, tool, type Outcome } from "./run.ts";

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** Without a compiler the native parts are optional; with one, sources that do not compile are a failure. */
function hasCompiler(): boolean {
  return spawnSync(process.env["CC"] ?? "cc", ["--version"], { stdio: "ignore" }).status === 0;
}

/** Steps of one group run at once: two cores, and the short ones hide behind the linter. */
const GROUPS: readonly (readonly Step[])[] = [
  [
    { name: "format", command: tool("oxfmt"), args: ["--check"] },
    { name: "native", command: process.execPath, args: ["native/build.mjs", ...(hasCompiler() ? [] : ["--optional"])] },
    { name: "types", command: tool("tsc"), args: ["--noEmit"] },
  ],
  [{ name: "lint", command: tool("oxlint"), args: ["--type-aware", "--deny-warnings"] }],
  [{ name: "tests", command: process.execPath, args: ["scripts/test.ts", "unit", "arch"] }],
];

function summary({ name }: Step, { code, output, seconds }: Outcome): string {
  const total = output.trimEnd().split("\n").at(-1) ?? "";
  const detail = name === "tests" && code === 0 ? `, ${total}` : "";
  return `${code === 0 ? "ok  " : "FAIL"} ${name} (${seconds.toFixed(1)} s${detail})`;
}

let failed = 0;
for (const group of GROUPS) {
  const outcomes = await Promise.all(
    group.map(async (step) => ({ step, outcome: await run(step.command, step.args) })),
  );
  for (const { step, outcome } of outcomes) {
    say(summary(step, outcome));
    if (outcome.code === 0) continue;
    failed++;
    say(outcome.output.trimEnd().replaceAll(/^/gm, "    "));
  }
}
say(failed === 0 ? "check: all good" : `check: ${failed} of ${GROUPS.flat().length} steps failed`);
process.exitCode = failed === 0 ? 0 : 1;
