// `pnpm test [TIER…] [FILE…] [-t NAME] [--json FILE]`: the test tiers in one vitest run, with each skip named.
// Without a tier: unit, arch, contract, kernel. The interop tier needs peers and minutes, so it runs when named.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";
import { LapReporter } from "../test/support/reporter.ts";
import { must, say } from "./run.ts";

const TIERS: readonly string[] = ["unit", "arch", "contract", "kernel", "interop"];
const DEFAULT_TIERS: readonly string[] = ["unit", "arch", "contract", "kernel"];
/** Tiers whose tests start `lap` as a person would, so the bundle has to be of this source. */
const NEED_BUILD: readonly string[] = ["kernel", "interop"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { testNamePattern: { type: "string", short: "t" }, json: { type: "string" } },
});

const named = positionals.filter((word) => TIERS.includes(word));
const tiers = named.length > 0 ? named : DEFAULT_TIERS;
const files = positionals.filter((word) => !TIERS.includes(word));

if (tiers.some((tier) => NEED_BUILD.includes(tier))) {
  const output = await must(process.execPath, ["scripts/build.ts", "--cli", "--quiet"]);
  if (output.trim() !== "") say(output.trimEnd());
}

const reporter = new LapReporter(values.testNamePattern === undefined);
const vitest = await startVitest("test", files, {
  watch: false,
  project: [...tiers],
  reporters: [reporter],
  passWithNoTests: files.length === 0,
  ...(values.testNamePattern === undefined ? {} : { testNamePattern: values.testNamePattern }),
});
await vitest.close();
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reporter.totals)}\n`);
if (reporter.totals.failed > 0) process.exitCode = 1;
