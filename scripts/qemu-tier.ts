// `node scripts/qemu-tier.ts [--kernel 6.1|6.12] [FILE… | --command SCRIPT]`: kernel tests on a pure cgroup-v2 machine
// with AppArmor (see qemu-machine.ts). Slow, software emulation; not part of `pnpm test`. Exits 0 when all passed.
import { parseArgs } from "node:util";
import { must, ROOT, say } from "./run.ts";
import { runInMachine } from "./qemu-machine.ts";

/** The files whose facts this machine changes: limits, devices, starting on v2, rootless with a delegated subtree, AppArmor, project quotas. */
const FILES =
  "core-limits core-cgroup core-run.test core-runtime core-idmap core-spec core-apparmor engine-rootless engine-quota".split(
    " ",
  );
const TEST_TIMEOUT_MS = 300_000;
const MACHINE_TIMEOUT_MS = 60 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kernel: { type: "string", default: "6.1" }, command: { type: "string" } },
});

function testScript(files: readonly string[]): string {
  const vitest = `--project kernel --testTimeout ${TEST_TIMEOUT_MS} --hookTimeout ${TEST_TIMEOUT_MS} --reporter verbose`;
  return `node_modules/.bin/node node_modules/vitest/vitest.mjs run ${vitest} ${files.join(" ")}`;
}

await must(process.execPath, ["scripts/build.ts", "--cli", "--quiet"]);
const script = values.command ?? testScript(positionals.length > 0 ? positionals : FILES);
const setup = `cd ${ROOT} || exit 125\nexport PATH=${process.env["PATH"] ?? ""} HOME=/root CI=1 TERM=dumb NO_COLOR=1 LAP_MACHINE=qemu\n`;
const started = performance.now();
const code = await runInMachine(values.kernel, `${setup}${script}\n`, MACHINE_TIMEOUT_MS);
say(`machine ended with ${code} after ${Math.round((performance.now() - started) / 1000)} s`);
process.exitCode = code;
