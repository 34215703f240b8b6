// The same bundle under runc and lap-runtime: what a process sees of the default profile, call by call on three ABIs, with
// calls that no table of the time knew. Covers what runc adds to libseccomp's filter: ENOSYS for calls above the profile's.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_CAPABILITIES, defaultSeccompProfile, defaultSpec, hostFacts } from "@lapstrake/core";
import { afterAll, expect, test } from "vitest";
import { needs } from "../support/facts.ts";

const folder = mkdtempSync(join(tmpdir(), "lap-seccomp-runc-"));
const bundle = join(folder, "bundle");
const root = join(import.meta.dirname, "../..");
const lapRuntime = ["--conditions=@lapstrake/source", join(root, "packages/cli/src/lap-runtime.ts")];

afterAll(() => rmSync(folder, { recursive: true }));

// Numbers whose calls neither wait, end nor change anything when every argument is -1. 457 to 466 are in the profile, but
// not in every libseccomp that runc may have, for which they are calls of the future.
const NUMBERS: Readonly<Record<string, string>> = {
  64:
    "5 9 13 16 32 56 72 101 103 135 155 161 165 166 167 169 170 175 176 179 246 248 250 256 272 279 298 300 303 304 " +
    "308 310 311 312 313 317 320 321 323 334 425 426 427 428 429 430 431 432 433 434 435 437 438 440 442 443 444 447 448 " +
    "450 451 452 454 467 468 469 470 471 472 500 600 1000",
  32: "8 14 21 26 37 51 61 88 101 102 103 110 117 120 136 310 317 425 426 435 450 467 470 471 500",
  x32: "39 272 425 435 467 512 547 548 600",
};
const CALLS = Object.entries(NUMBERS).flatMap(([abi, numbers]) => numbers.split(" ").map((number) => [abi, number]));

function writeBundle(noNewPrivileges: boolean): void {
  const spec = defaultSpec();
  const args = ["/probe", ...CALLS.flatMap((call) => [...call, "-1", "-1", "-1"])];
  const seccomp = defaultSeccompProfile(DEFAULT_CAPABILITIES, hostFacts());
  const config = {
    ...spec,
    process: { ...spec.process, args, noNewPrivileges },
    // The host's cgroup hierarchies are not what is compared here.
    mounts: spec.mounts?.filter(({ type }) => type !== "cgroup"),
    linux: { ...spec.linux, seccomp, resources: {} },
  };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
}

function runUnder(program: string, args: readonly string[], id: string): string[] {
  const all = [...args, "--root", join(folder, id), "run", id];
  const { status, stdout, stderr } = spawnSync(program, all, { cwd: bundle, encoding: "utf8", timeout: 60_000 });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.trim().split("\n");
}

needs("root", "native", "command:gcc", "command:runc").describe("runc's verdicts of the default profile", () => {
  test("call by call, no_new_privs on and off", () => {
    mkdirSync(join(bundle, "rootfs"), { recursive: true });
    for (const name of ["proc", "dev", "sys"]) mkdirSync(join(bundle, "rootfs", name));
    const source = join(root, "test/kernel/core-seccomp-probe.c");
    const built = spawnSync("gcc", ["-static", "-O1", "-o", join(bundle, "rootfs/probe"), source], { timeout: 60_000 });
    expect(built.status).toBe(0);
    for (const noNewPrivileges of [true, false]) {
      writeBundle(noNewPrivileges);
      const theirs = runUnder("runc", [], `runc-${process.pid}-${noNewPrivileges}`);
      const ours = runUnder(process.execPath, lapRuntime, `lap-${process.pid}-${noNewPrivileges}`);
      const differing = CALLS.filter((_, at) => ours[at] !== theirs[at]);
      expect([theirs.length, differing]).toEqual([CALLS.length, []]);
    }
  });
});
