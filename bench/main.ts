// `pnpm bench [NAME…]`: runs the named suites of this folder (default: start) and prints their reports.
// A suite is a file NAME.bench.ts that exports `open(): Promise<OpenSuite>`; rooms prefix theirs with their name.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { execArgv, execPath } from "node:process";
import { parseArgs } from "node:util";
import { format, judge, measure, type Suite } from "./harness.ts";

/** What a suite's file exports. */
interface SuiteFile {
  readonly open: () => Promise<OpenSuite>;
  /** Words that run a command where the suite can measure, when here it cannot; undefined when it can. */
  readonly enter?: () => readonly [string, ...string[]] | undefined;
}

/** A suite with what it holds (folders, images, daemons), released after the run. */
export interface OpenSuite extends AsyncDisposable {
  readonly suite: Suite;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, strict: { type: "boolean", default: false } },
});

const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.replace(".bench.ts", ""));

/** This program again, for one suite, where the words lead. */
function runThere([program, ...words]: readonly [string, ...string[]], name: string): boolean {
  const rounds = values.rounds === undefined ? [] : ["--rounds", values.rounds];
  const again = [execPath, ...execArgv, import.meta.filename, name, "--strict", ...rounds];
  const { status, error } = spawnSync(program, [...words, ...again], { stdio: "inherit" });
  if (error !== undefined) throw error;
  return status === 0;
}

async function runSuite(name: string): Promise<boolean> {
  if (!known.includes(name)) throw new Error(`no benchmark "${name}"; there are: ${known.join(", ")}`);
  const { open, enter } = (await import(`./${name}.bench.ts`)) as SuiteFile;
  const way = enter?.();
  if (way !== undefined) return runThere(way, name);
  await using opened = await open();
  const suite = values.rounds === undefined ? opened.suite : { ...opened.suite, rounds: Number(values.rounds) };
  const figures = await measure(suite);
  console.log(format(suite, figures).join("\n"));
  return judge(figures, suite.thresholds).every(({ verdict }) => verdict !== "miss");
}

try {
  let passed = true;
  for (const name of positionals.length > 0 ? positionals : ["start"]) passed = (await runSuite(name)) && passed;
  if (values.strict && !passed) process.exitCode = 1;
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
