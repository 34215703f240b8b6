// Vitest reporter of `pnpm test` and `pnpm check`: failures in full, each skip with its missing fact, one total.
// A skip that does not say why counts as a failure, or skips would pile up unseen.
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/** Counts of one run; `failed` includes files that did not load and skips without a reason. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** Why a test did not run: the `[needs …]` of its name, or the note of `ctx.skip(note)`. */
export function skipReason(fullName: string, note: string | undefined): string | undefined {
  const facts = [...fullName.matchAll(/\[needs ([^\]]+)\]/g)].flatMap(([, list = ""]) => list.split(", "));
  const said = /\(skipped: ([^)]+)\)/.exec(fullName)?.[1];
  return facts.length > 0 ? `needs ${[...new Set(facts)].join(", ")}` : (said ?? note);
}

/** Skips of one file for one reason, counted: a suite of forty tests is one line. */
export function groupSkips(skips: readonly { file: string; name: string; reason: string }[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { file, name, reason } of skips) {
    const key = `${file}: ${reason}`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups].map(([key, names]) => `skip ${key}: ${names.length === 1 ? names[0] : `${names.length} tests`}`);
}

function plainName(test: TestCase): string {
  return test.fullName.replaceAll(/ \[needs [^\]]+\]/g, "");
}

function fileOf(module: TestModule): string {
  return relative(process.cwd(), module.moduleId);
}

function describeError(error: SerializedError): string {
  const stack = (error.stack ?? error.message).split("\n").filter((line) => !/^\s+at .*node_modules/.test(line));
  const diff = (error as { diff?: string }).diff;
  return stripVTControlCharacters([...stack, ...(diff === undefined ? [] : [diff])].join("\n"));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** See the head of this file. */
export class LapReporter implements Reporter {
  readonly totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  readonly #strict: boolean;
  readonly #skips: { file: string; name: string; reason: string }[] = [];

  /** `strict` fails skips that give no reason; a run of chosen names must not, the filter skips the others. */
  constructor(strict: boolean) {
    this.#strict = strict;
  }

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === "passed") this.totals.passed++;
    else if (result.state === "skipped") this.#skipped(test, result.note);
    else if (result.state === "failed") this.#failed(`${fileOf(test.module)} > ${test.fullName}`, result.errors);
  }

  onTestModuleEnd(module: TestModule): void {
    const errors = module.errors();
    if (errors.length > 0) this.#failed(fileOf(module), errors);
    for (const suite of module.children.allSuites()) {
      if (suite.errors().length > 0) this.#failed(`${fileOf(module)} > ${suite.fullName}`, suite.errors());
    }
  }

  onTestRunEnd(_modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    if (unhandled.length > 0) this.#failed("unhandled errors", unhandled);
    for (const line of groupSkips(this.#skips)) print(line);
    print(`${this.totals.passed} passed, ${this.totals.failed} failed, ${this.totals.skipped} skipped`);
  }

  #skipped(test: TestCase, note: string | undefined): void {
    const reason = skipReason(test.fullName, note);
    if (reason === undefined && !this.#strict) return;
    if (reason === undefined) {
      this.#failed(`${fileOf(test.module)} > ${test.fullName}`, [
        { message: "skipped without saying why: use needs(…)" },
      ]);
      return;
    }
    this.totals.skipped++;
    this.#skips.push({ file: fileOf(test.module), name: plainName(test), reason });
  }

  #failed(where: string, errors: readonly SerializedError[]): void {
    this.totals.failed++;
    print(`FAIL ${where}`);
    for (const error of errors) print(describeError(error).replaceAll(/^/gm, "  "));
  }
}
