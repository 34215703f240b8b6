// Our filters against libseccomp's for the same profile, verdict by verdict: every call number of x86_64, i386 and x32, with
// arguments at the edges of what the rules compare. Needs gcc and libseccomp-dev; calls newer than the installed library
// are left out of both. runc's own preparation of rules (it drops those with the default action) is done here too.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CAPABILITIES, compileSeccomp, DEFAULT_CAPABILITIES, defaultSeccompProfile } from "@lapstrake/core";
import type { SeccompSpec } from "@lapstrake/base";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { AUDIT, runFilter, verdict } from "../support/bpf.ts";

type Rule = NonNullable<SeccompSpec["syscalls"]>[number];

const folder = mkdtempSync(join(tmpdir(), "lap-oracle-"));
const program = join(folder, "oracle");
const source = join(import.meta.dirname, "core-seccomp-oracle.c");
const built = spawnSync("gcc", ["-O1", "-o", program, source, "-lseccomp"], { encoding: "utf8", timeout: 60_000 });
const suffix = built.status === 0 ? "" : " [needs gcc, libseccomp-dev]";

const ACTIONS: Readonly<Record<string, number>> = {
  SCMP_ACT_ALLOW: 0x7fff_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
};
const OPERATORS = "- NE LT LE EQ GE GT MASKED_EQ".split(" ").map((name) => `SCMP_CMP_${name}`);
const ARCHES: Readonly<Record<string, string>> = {
  SCMP_ARCH_X86_64: "x86_64",
  SCMP_ARCH_X86: "x86",
  SCMP_ARCH_X32: "x32",
};

function actionValue(action: string, errno: number | undefined): number {
  return ACTIONS[action]! + (action === "SCMP_ACT_ERRNO" ? (errno ?? 1) : 0);
}

function ruleLine(rule: Rule, name: string): string {
  const args = (rule.args ?? []).map(
    ({ index, op, value, valueTwo }) => `${index} ${OPERATORS.indexOf(op)} ${value} ${valueTwo ?? 0}`,
  );
  return ["rule", actionValue(rule.action, rule.errnoRet), name, args.length, ...args].join(" ");
}

function oracleInput(spec: SeccompSpec): string {
  const fallback = actionValue(spec.defaultAction, spec.defaultErrnoRet);
  const rules = (spec.syscalls ?? []).filter((rule) => actionValue(rule.action, rule.errnoRet) !== fallback);
  return [
    `default ${fallback}`,
    ...(spec.architectures ?? []).map((arch) => `arch ${ARCHES[arch]}`),
    ...rules.flatMap((rule) => rule.names.map((name) => ruleLine(rule, name))),
  ].join("\n");
}

interface Oracle {
  readonly program: Uint8Array;
  /** Names of the profile that this libseccomp does not know. */
  readonly unknown: ReadonlySet<string>;
}

function askOracle(spec: SeccompSpec): Oracle {
  const run = spawnSync(program, { input: oracleInput(spec), timeout: 60_000 });
  const lines = run.stderr.toString().split("\n").filter(Boolean);
  if (run.status !== 0) throw new Error(`oracle: ${lines.join("; ")}`);
  return { program: run.stdout, unknown: new Set(lines) };
}

function without(spec: SeccompSpec, names: ReadonlySet<string>): SeccompSpec {
  const syscalls = (spec.syscalls ?? []).map((rule) => ({
    ...rule,
    names: rule.names.filter((name) => !names.has(name)),
  }));
  return { ...spec, syscalls: syscalls.filter((rule) => rule.names.length > 0) };
}

const NUMBERS: readonly (readonly [arch: string, token: number, base: number])[] = [
  ["x86_64", AUDIT.x86_64, 0],
  ["x86", AUDIT.x86, 0],
  ["x32", AUDIT.x32, 0x4000_0000],
  ["x86_64 above", AUDIT.x86_64, 0xffff_fc00],
  ["aarch64", AUDIT.aarch64, 0],
];

// libseccomp 2.5 forgets to load the number where all rules of an architecture have conditions: one has none.
function withPlainRule(spec: SeccompSpec): SeccompSpec {
  const action = spec.defaultAction === "SCMP_ACT_ALLOW" ? "SCMP_ACT_LOG" : "SCMP_ACT_ALLOW";
  return { ...spec, syscalls: [{ names: ["getpid"], action }, ...(spec.syscalls ?? [])] };
}

/** map_shadow_stack, which libseccomp before 2.6 knows on x86_64 only. */
const NEWER_THAN_ORACLE = "x32 453";

/** Every call on which the two programs disagree. */
function differences(ours: Uint8Array, theirs: Uint8Array, vectors: readonly (readonly bigint[])[]): string[] {
  const found: string[] = [];
  for (const [name, arch, base] of NUMBERS) {
    for (let nr = base; nr < base + 1024; nr++) {
      for (const args of vectors) {
        const mine = runFilter(ours, { nr, arch, args }).value;
        const other = runFilter(theirs, { nr, arch, args }).value;
        const call = `${name} ${nr - base}`;
        if (mine === other || call === NEWER_THAN_ORACLE) continue;
        found.push(`${call}(${args.join(",")}): ${verdict(mine)}, not ${verdict(other)}`);
      }
    }
  }
  return found;
}

const FIRST_ARGUMENTS: readonly bigint[] = [
  ...Array.from({ length: 48 }, (_, family) => BigInt(family)),
  0x2_0000n,
  0x2_0008n,
  0x4_0000n,
  0x200_0000n,
  0x1000_0011n,
  0x4000_0000n,
  0x7e02_0000n,
  0x3d_0f00n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1_0000_0002n,
  0xffff_ffff_ffff_ffffn,
];

afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(built.status !== 0)(`libseccomp's verdicts${suffix}`, () => {
  const host = { arch: "x86_64", kernel: { release: "6.1.0", major: 6, minor: 1 } } as const;
  test.each<[string, readonly string[]]>([
    ["no capabilities", []],
    ["Docker's capabilities", DEFAULT_CAPABILITIES],
    ["and CAP_SYS_ADMIN", [...DEFAULT_CAPABILITIES, "CAP_SYS_ADMIN"]],
    ["all capabilities", CAPABILITIES],
  ])("default profile with %s", (_, capabilities) => {
    const spec = defaultSeccompProfile(capabilities, host);
    const oracle = askOracle(spec);
    expect(oracle.unknown.size).toBeLessThan(40);
    const { program: ours } = compileSeccomp(without(spec, oracle.unknown), { arch: "x86_64" });
    expect(ours.length).toBeLessThan(oracle.program.length);
    expect(
      differences(
        ours,
        oracle.program,
        FIRST_ARGUMENTS.map((arg) => [arg, 0n, 0n]),
      ),
    ).toEqual([]);
  });

  // Edges of every comparison below, in both halves.
  const EDGES: readonly bigint[] = [0n, 1n, 5n, 6n, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0005n, 0x5_0000_0000n];
  const condition = (index: number): fc.Arbitrary<NonNullable<Rule["args"]>[number]> =>
    fc.record({
      index: fc.constant(index),
      value: fc.constantFrom(...EDGES),
      valueTwo: fc.constantFrom(...EDGES),
      op: fc.constantFrom(...OPERATORS.slice(1)),
    });
  // libseccomp merges the conditional rules of a call into one tree, which drops some alternatives when they overlap on
  // several arguments; our rules are alternatives always (compile.test.ts has the reference). So here a call has either one
  // rule with any conditions, or several that each compare its first argument for equality, as in Docker's profile.
  const CALLS = "read write kill clone connect semop openat tgkill rt_sigaction".split(" ");
  const equal = fc.record({ index: fc.constant(0), value: fc.constantFrom(...EDGES), op: fc.constant("SCMP_CMP_EQ") });
  const argLists: fc.Arbitrary<NonNullable<Rule["args"]>[]> = fc.oneof(
    fc.subarray([0, 1, 2], { maxLength: 3 }).chain((indexes) => fc.tuple(fc.tuple(...indexes.map(condition)))),
    fc.array(fc.tuple(equal), { minLength: 1, maxLength: 5 }),
  );
  const profiles = fc.record({
    defaultAction: fc.constantFrom(...Object.keys(ACTIONS)),
    architectures: fc.subarray(Object.keys(ARCHES)),
    syscalls: fc
      .tuple(
        ...CALLS.map((name) =>
          fc.record({ name: fc.constant(name), action: fc.constantFrom(...Object.keys(ACTIONS)), argLists }),
        ),
      )
      .chain((calls) => fc.subarray(calls))
      .map((calls) =>
        calls.flatMap(({ name, action, argLists: lists }) => lists.map((args) => ({ names: [name], action, args }))),
      ),
  });

  test("random profiles", () => {
    const vectors = EDGES.flatMap((a) => EDGES.map((b) => [a, b, a]));
    fc.assert(
      fc.property(profiles, (spec: SeccompSpec) => {
        const plain = withPlainRule(spec);
        const oracle = askOracle(plain);
        const { program: ours } = compileSeccomp(plain, { arch: "x86_64" });
        expect(sampled(ours, oracle.program, vectors)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

// The numbers of CALLS on the three ABIs, and neighbours.
const SAMPLE: readonly number[] = [
  0, 1, 2, 3, 4, 13, 37, 41, 42, 56, 62, 65, 102, 117, 120, 174, 212, 234, 257, 270, 295,
];
const SAMPLE_32: readonly number[] = [...SAMPLE, 359, 361, 362, 512, 513];

function sampled(ours: Uint8Array, theirs: Uint8Array, vectors: readonly (readonly bigint[])[]): string[] {
  const found: string[] = [];
  for (const [name, arch, base] of NUMBERS.slice(0, 3)) {
    for (const number of SAMPLE_32) {
      for (const args of vectors) {
        const data = { nr: base + number, arch, args };
        const mine = runFilter(ours, data).value;
        const other = runFilter(theirs, data).value;
        if (mine !== other) found.push(`${name} ${number}(${args.join(",")}): ${verdict(mine)}, not ${verdict(other)}`);
      }
    }
  }
  return found.slice(0, 5);
}
