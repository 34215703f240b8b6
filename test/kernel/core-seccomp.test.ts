// Filters in the kernel: the default profile as seen from inside, on x86_64, i386 (int 0x80) and x32, against the same calls
// without a filter; actions, flags and sizes of profiles of one's own. The probe makes calls that end differently unfiltered.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import type { RuntimeSpec, SeccompSpec } from "@lapstrake/base";
import { DEFAULT_CAPABILITIES, defaultSeccompProfile, hostFacts, startTime } from "@lapstrake/core";
import { afterAll, describe, expect, test } from "vitest";
import { finish, missing, run, sh, TestContainer } from "./core-harness.ts";

const EPERM = -1;
const ENOSYS = -38;

const folder = mkdtempSync(join(tmpdir(), "lap-seccomp-"));
const probe = join(folder, "probe");
const source = join(import.meta.dirname, "core-seccomp-probe.c");
const isX86 = arch() === "x64";
const built = isX86 && spawnSync("gcc", ["-static", "-O1", "-o", probe, source], { timeout: 60_000 }).status === 0;
const lacking = missing ?? (built ? undefined : "x86_64 with gcc");
// A file whose tests are all skipped has no afterAll.
if (lacking !== undefined) rmSync(folder, { recursive: true });

afterAll(() => rmSync(folder, { recursive: true }));

type Change = (spec: RuntimeSpec) => RuntimeSpec;

function withProfile(seccomp: SeccompSpec | undefined, noNewPrivileges = true): Change {
  return (spec) => ({
    ...spec,
    process: { ...spec.process!, noNewPrivileges },
    linux: seccomp === undefined ? spec.linux! : { ...spec.linux, seccomp },
  });
}

function allowBut(
  rule: Partial<NonNullable<SeccompSpec["syscalls"]>[number]>,
  more: Partial<SeccompSpec> = {},
): SeccompSpec {
  const denied = { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", ...rule };
  return { defaultAction: "SCMP_ACT_ALLOW", syscalls: [denied], ...more };
}

type Call = readonly [abi: "64" | "32" | "x32", number: number, ...args: number[]];

async function probed(calls: readonly Call[], change: Change): Promise<number[]> {
  const words = calls.flatMap(([abi, number, a = 0, b = 0, c = 0]) => [abi, number, a, b, c].map(String));
  const { stdout, stderr, status } = await run([probe, ...words], change);
  expect([stderr, status.exitCode]).toEqual(["", 0]);
  return stdout.trim().split("\n").map(Number);
}

const NEWUSER = 0x1000_0000;
const FS = 0x200;
const NO_RANDOMIZE = 0x4_0000;
// Calls with arguments that the kernel itself would not answer with EPERM, and what the profile answers.
const DENIED: readonly (readonly [string, number, ...Call])[] = [
  ["unshare", EPERM, "64", 272, NEWUSER],
  ["unshare", EPERM, "32", 310, FS],
  ["io_uring_setup", EPERM, "64", 425, 0, 0],
  ["io_uring_setup", EPERM, "32", 425, 0, 0],
  ["personality", EPERM, "64", 135, NO_RANDOMIZE],
  ["personality", EPERM, "32", 136, NO_RANDOMIZE],
  ["socket AF_VSOCK", EPERM, "64", 41, 40, 1],
  ["socket AF_VSOCK", EPERM, "32", 359, 40, 1],
  ["socket AF_ALG", EPERM, "64", 41, 38, 5],
  ["keyctl", EPERM, "64", 250, 99],
  ["keyctl", EPERM, "32", 288, 99],
  ["clone3", ENOSYS, "64", 435, 0, 0],
  ["clone3", ENOSYS, "32", 435, 0, 0],
  ["setns", EPERM, "64", 308, -1],
  ["userfaultfd", EPERM, "64", 323, -1],
  ["open_tree", EPERM, "64", 428, -1, 0, 0xffff],
  ["a call of the future", ENOSYS, "64", 500],
  ["a call of the future", ENOSYS, "32", 500],
  ["x32 unshare", EPERM, "x32", 272, NEWUSER],
];

describe.skipIf(lacking !== undefined)(`core seccomp${lacking === undefined ? "" : ` (skipped: ${lacking})`}`, () => {
  const profile = lacking === undefined ? defaultSeccompProfile(DEFAULT_CAPABILITIES, hostFacts()) : undefined;
  const calls = DENIED.map(([, , ...call]) => call);

  test.each([true, false])("the default profile denies on every ABI, no_new_privs %s", async (noNewPrivileges) => {
    const results = await probed(calls, withProfile(profile, noNewPrivileges));
    expect(results.map((result, at) => [DENIED[at]![0], calls[at]![0], result])).toEqual(
      DENIED.map(([name, result, abi]) => [name, abi, result]),
    );
  });

  test("it is the filter that denies them", async () => {
    const open = calls.filter(([abi, number]) => abi !== "x32" && number !== 500);
    const results = await probed(open, withProfile(undefined));
    const closed = open.filter((_, at) => results[at] === EPERM || results[at] === ENOSYS);
    expect(closed).toEqual([]);
  });

  test("programs run under it: shell, pipes, sockets, threads", async () => {
    const script =
      "grep -E 'Seccomp:|NoNewPrivs' /proc/self/status; ls / | sort | head -1; mkdir /tmp/d && touch /tmp/d/f && rm -r /tmp/d; " +
      `'${process.execPath}' -e 'new (require("worker_threads").Worker)("console.log(6*7)", {eval: true})'`;
    const { stdout, stderr } = await sh(script, withProfile(profile, false));
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toEqual(["NoNewPrivs:\t0", "Seccomp:\t2", "bin", "42", ""]);
  });

  test("a further process of the container is under the same filter", async () => {
    using container = new TestContainer(["sleep", "100"], withProfile(profile));
    const launched = await container.start();
    const args = [probe, "64", "272", String(NEWUSER), "0", "0"];
    const { stdout } = await finish(await container.exec({ args }, Number(startTime(launched.pid))));
    expect(stdout).toBe("-1\n");
    launched.attachment!.signal(9);
    await finish(launched);
  });

  test.each([
    ["SCMP_ACT_ERRNO", 99, { exitCode: 1 }],
    ["SCMP_ACT_KILL", undefined, { exitCode: 159, signal: 31 }],
    ["SCMP_ACT_KILL_PROCESS", undefined, { exitCode: 159, signal: 31 }],
    ["SCMP_ACT_TRAP", undefined, { exitCode: 159, signal: 31 }],
    ["SCMP_ACT_LOG", undefined, { exitCode: 0 }],
  ])("%s", async (action, errnoRet, expected) => {
    const rule = errnoRet === undefined ? { action } : { action, errnoRet };
    const { stderr, status } = await run(["mkdir", "/tmp/denied"], withProfile(allowBut(rule)));
    expect(status).toMatchObject(expected);
    if (errnoRet !== undefined) expect(stderr).toContain("Cannot assign requested address");
  });

  test("flags reach the kernel, which takes them", async () => {
    const flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"];
    const { stdout } = await sh("grep Seccomp_filters: /proc/self/status", withProfile(allowBut({}, { flags })));
    expect(stdout).toBe("Seccomp_filters:\t1\n");
  });

  test("a profile that denies getcwd still starts, with no_new_privs off too", async () => {
    for (const noNewPrivileges of [true, false]) {
      const { stdout } = await sh("echo ran", withProfile(allowBut({ names: ["getcwd"] }), noNewPrivileges));
      expect(stdout).toBe("ran\n");
    }
  });

  test("a profile that denies calls of the start itself starts, and leaves no descriptor open", async () => {
    const names = [
      "close_range",
      "fsopen",
      "fsconfig",
      "fspick",
      "openat2",
      "open_tree",
      "move_mount",
      "mount_setattr",
    ];
    const denying = allowBut({ names, errnoRet: 38 });
    for (const noNewPrivileges of [true, false]) {
      const { stdout } = await run(["ls", "/proc/self/fd"], withProfile(denying, noNewPrivileges));
      expect(stdout).toBe("0\n1\n2\n3\n");
    }
  });

  test("a filter near the kernel's limit is taken, one beyond it is refused by us", async () => {
    const rules = (count: number): SeccompSpec => ({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: Array.from({ length: count }, (_, value) => ({
        names: ["kill"],
        action: "SCMP_ACT_ERRNO",
        args: [0, 1].map((index) => ({ index, value: 1000 + value * 2, op: "SCMP_CMP_EQ" })),
      })),
    });
    expect((await sh("echo ran", withProfile(rules(480)))).stdout).toBe("ran\n");
    await expect(sh("echo ran", withProfile(rules(2000)))).rejects.toThrow("more than the 4096 instructions");
  });
});
