// `pnpm test [TIER…] [FILE…] [-t NAME] [--json FILE]`: the test tiers in one vitest run, with each skip named.
// Without a tier: unit, arch, contract, kernel. The interop tier needs peers and minutes, so it runs when named.
// What the tests make lies in one folder, which goes away also when the run is killed: at once, or when the next begins.
// `pnpm test --asan [kernel] [FILE…]`: the same with the helper built for the address and undefined-behaviour sanitizers.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";
import { NATIVE_OUT, nativePart } from "../test/support/native.ts";
import { LapReporter } from "../test/support/reporter.ts";
import { clearRunFolder, deadRunFolders, openRunFolder } from "./run-folder.ts";
import { must, say } from "./run.ts";

const TIERS: readonly string[] = ["unit", "arch", "contract", "kernel", "interop"];
const DEFAULT_TIERS: readonly string[] = ["unit", "arch", "contract", "kernel"];
/** Tiers whose tests start `lap` as a person would, so the bundle has to be of this source. */
const NEED_BUILD: readonly string[] = ["kernel", "interop"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    testNamePattern: { type: "string", short: "t" },
    json: { type: "string" },
    asan: { type: "boolean", default: false },
  },
});

const named = positionals.filter((word) => TIERS.includes(word));
const tiers = named.length > 0 ? named : DEFAULT_TIERS;
const files = positionals.filter((word) => !TIERS.includes(word));

for (const dead of deadRunFolders()) {
  say(`an earlier run was killed: ${clearRunFolder(dead).length} things of it are cleared away`);
}
const runFolder = openRunFolder();
for (const [signal, code] of [
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => process.exit(code));
}
process.once("exit", () => clearRunFolder(runFolder));

if (tiers.some((tier) => NEED_BUILD.includes(tier))) {
  const output = await must(process.execPath, ["scripts/build.ts", "--cli", "--quiet"]);
  if (output.trim() !== "") say(output.trimEnd());
}

/** A folder with the sanitized helper in place of the other; what it finds is written there, as `asan.PID`. */
async function sanitized(): Promise<string> {
  await must(process.execPath, ["native/build.mjs", "--asan"]);
  const folder = mkdtempSync(join(tmpdir(), "lap-asan-"));
  for (const name of readdirSync(NATIVE_OUT)) {
    if (name !== "lap-shim") symlinkSync(nativePart(name), join(folder, name));
  }
  symlinkSync(nativePart("lap-shim-asan"), join(folder, "lap-shim"));
  chmodSync(folder, 0o777); // rootless tests write there too
  process.env["LAP_NATIVE_DIR"] = folder;
  // Leaks are the kernel's to clean: the helper execs or exits. Its log must outlive the root it pivots away from.
  process.env["ASAN_OPTIONS"] = `detect_leaks=0:exitcode=99:log_path=${folder}/asan`;
  process.env["UBSAN_OPTIONS"] = `print_stacktrace=1:log_path=${folder}/asan`;
  return folder;
}

/** What the sanitizers wrote; the folder goes away. */
function findings(folder: string): string[] {
  const files = readdirSync(folder).filter((name) => name.startsWith("asan."));
  const texts = files.map((name) => readFileSync(join(folder, name), "utf8"));
  rmSync(folder, { recursive: true });
  return texts;
}

const asanFolder = values.asan ? await sanitized() : undefined;
const reporter = new LapReporter(values.testNamePattern === undefined);
const vitest = await startVitest("test", files, {
  watch: false,
  project: [...tiers],
  reporters: [reporter],
  passWithNoTests: files.length === 0,
  ...(values.testNamePattern === undefined ? {} : { testNamePattern: values.testNamePattern }),
});
await vitest.close();
const found = asanFolder === undefined ? [] : findings(asanFolder);
for (const text of found) say(text);
if (asanFolder !== undefined) say(`sanitizers: ${found.length} findings`);
if (found.length > 0) process.exitCode = 1;
for (const left of clearRunFolder(runFolder)) say(`left behind: ${left}`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reporter.totals)}\n`);
if (reporter.totals.failed > 0) process.exitCode = 1;
