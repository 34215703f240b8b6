// The public suites for OCI runtimes, aimed at one or more runtimes and compared program by program; not a vitest file. The
// suites stay outside: LAP_SUITE names a built checkout. docs/SPEC-CONFORMANCE.md says how to build them and what came out.
//   LAP_SUITE=DIR node test/interop/core-conformance.ts runtime-tools|crun|runc NAME=RUNTIME… [--only WORD]… [--out DIR] [--seconds N]
//                                                     [--before COMMAND]  (shell words to run first in a mount namespace of its own)
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { env, exit, stderr, stdout } from "node:process";
import { parseArgs } from "node:util";

/** How a suite's programs are found and started. */
interface Suite {
  readonly programs: (dir: string) => string[];
  readonly command: (dir: string, program: string) => readonly string[];
  readonly cwd: string;
  readonly environment: (dir: string, runtime: string) => Readonly<Record<string, string>>;
}

/** What a program said. */
interface Verdict {
  readonly code: number;
  readonly seconds: number;
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  readonly complaint: string;
}

function named(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .toSorted();
}

const SUITES: Readonly<Record<string, Suite>> = {
  "runtime-tools": {
    programs: (dir) => named(join(dir, "validation"), /^(?!util$)[a-z_]+$/),
    command: (_dir, name) => [`validation/${name}/${name}.t`],
    cwd: ".",
    environment: (_dir, runtime) => ({ RUNTIME: runtime }),
  },
  crun: {
    programs: (dir) => named(join(dir, "tests"), /^test_.*\.py$/),
    command: (_dir, name) => ["python3", `tests/${name}`],
    cwd: ".",
    environment: (dir, runtime) => ({ OCI_RUNTIME: runtime, INIT: join(dir, "tests/init") }),
  },
  // Its default config has a terminal, so bats gets one.
  runc: {
    programs: (dir) => named(join(dir, "tests/integration"), /\.bats$/),
    command: (_dir, name) => ["script", "-qec", `timeout -k 5 ${values.seconds} bats --tap ${name}`, "/dev/null"],
    cwd: "tests/integration",
    environment: (_dir, runtime) => ({ RUNC: runtime }),
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true, default: [] },
    out: { type: "string" },
    before: { type: "string" },
    seconds: { type: "string", default: "120" },
  },
});

function usage(text: string): never {
  stderr.write(`core-conformance: ${text}; the comment at the top of the file says how\n`);
  exit(2);
}

function titleOf(line: string): string {
  return line.replace(/^(?:not )?ok\s*\d*\s*(?:- )?/, "").trim();
}

/** Sorts the lines of a TAP document; a skipped test says `ok … # skip`. */
function readTap(text: string): Pick<Verdict, "passed" | "failed" | "skipped"> {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const good = lines.filter((line) => /^ok\b/.test(line));
  const isSkip = (line: string): boolean => /# ?skip/i.test(line);
  return {
    passed: good.filter((line) => !isSkip(line)).map(titleOf),
    skipped: good.filter(isSkip).map(titleOf),
    failed: lines.filter((line) => /^not ok\b/.test(line)).map(titleOf),
  };
}

/** A program in a process group of its own, so that what hangs can be ended with everything it started. */
function start(
  words: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<string[]> {
  const started = performance.now();
  const before = values.before === undefined ? [] : ["unshare", "-m", "sh", "-c", `${values.before}; exec "$@"`, "sh"];
  const [command = "", ...args] = [...before, ...words];
  const child = spawn(command, args, { cwd, env: { ...env, ...environment }, stdio: "pipe", detached: true });
  let out = "";
  let err = "";
  // Open until the end: script(1) types an end-of-file when its own input ends, which a raw terminal reads as a NUL.
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), (Number(values.seconds) + 10) * 1000);
  return new Promise((done) => {
    child.once("exit", (code) => {
      clearTimeout(timer);
      // What the program left behind may hold its streams open.
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        done([String(code ?? 137), String((performance.now() - started) / 1000), out, err]);
      }, 50);
    });
  });
}

async function runProgram(suite: Suite, dir: string, program: string, runtime: string, out: string): Promise<Verdict> {
  const [code = "", seconds = "", text = "", complaint = ""] = await start(
    suite.command(dir, program),
    join(dir, suite.cwd),
    suite.environment(dir, runtime),
  );
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${program}.tap`), text);
  writeFileSync(join(out, `${program}.err`), complaint);
  return { code: Number(code), seconds: Number(seconds), complaint: complaint.trim(), ...readTap(text) };
}

/** Nothing failed. A program that prints no TAP proves little: a runtime that does nothing leaves ten of runtime-tools so. */
function isClean({ code, failed }: Verdict): boolean {
  return code === 0 && failed.length === 0;
}

function cell(verdict: Verdict): string {
  const { code, passed, failed, skipped } = verdict;
  const counts = `${passed.length}/${failed.length}/${skipped.length}`;
  const said = verdict.complaint === "" ? "" : ", complains";
  return `${isClean(verdict) ? "clean" : "FAIL"} ${counts}${said}${code === 0 ? "" : `, exit ${code}`}`;
}

const suite = SUITES[positionals[0] ?? ""] ?? usage("name a suite");
const dir = resolve(env["LAP_SUITE"] ?? usage("LAP_SUITE is not set"));
const runtimes = positionals.slice(1).map((word) => {
  const [name = "", path = ""] = word.split("=");
  return { name, path: path === "" ? usage(`"${word}" is not NAME=PATH`) : resolve(path) };
});
if (runtimes.length === 0) usage("name a runtime");
const out = values.out ?? mkdtempSync(join(tmpdir(), "lap-conformance-"));

stdout.write(`| program | ${runtimes.map(({ name }) => `${name} ok/not/skip`).join(" | ")} |\n`);
stdout.write(`|---|${runtimes.map(() => "---").join("|")}|\n`);
const totals = runtimes.map(() => ({ clean: 0, passed: 0, failed: 0, skipped: 0, seconds: 0 }));
const failures: string[] = [];
for (const program of suite.programs(dir)) {
  if (values.only.length > 0 && !values.only.some((word) => program.includes(word))) continue;
  const cells: string[] = [];
  for (const [at, { name, path }] of runtimes.entries()) {
    const verdict = await runProgram(suite, dir, program, path, join(out, name));
    const total = totals[at]!;
    total.clean += isClean(verdict) ? 1 : 0;
    total.passed += verdict.passed.length;
    total.failed += verdict.failed.length;
    total.skipped += verdict.skipped.length;
    total.seconds += verdict.seconds;
    cells.push(cell(verdict));
    failures.push(...verdict.failed.map((title) => `${name}: ${program}: ${title}`));
  }
  stdout.write(`| ${program} | ${cells.join(" | ")} |\n`);
}
for (const [at, { name }] of runtimes.entries()) {
  const { clean, passed, failed, skipped, seconds } = totals[at]!;
  stdout.write(
    `${name}: ${clean} clean, ${passed} ok, ${failed} not ok, ${skipped} skipped, ${seconds.toFixed(0)} s\n`,
  );
}
stdout.write(`${failures.join("\n")}\nwhole output: ${out}\n`);
