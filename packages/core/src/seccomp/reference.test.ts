import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AUDIT, runFilter, verdict } from "../../../../test/support/bpf.ts";
import { syscallNumbers, X32_BIT, type ArchName } from "./arches.ts";
import { compileSeccomp } from "./compile.ts";
import { ACTIONS, OPERATORS } from "./numbers.ts";
import type { UncheckedSpec } from "./types.ts";

type Rule = NonNullable<UncheckedSpec["syscalls"]>[number];
type Arg = NonNullable<Rule["args"]>[number];

const MASK = { 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn } as const;
const BITS = { x86_64: 64, x86: 32, x32: 32, aarch64: 64, arm: 32 } as const;

// The specification's words, without a compiler: what a rule says of one call.
function holds(arg: Arg, args: readonly bigint[], bits: 32 | 64): boolean {
  const actual = args[arg.index]! & MASK[bits];
  const value = BigInt(arg.value) & MASK[bits];
  const second = BigInt(arg.valueTwo ?? 0) & value;
  const results: Readonly<Record<string, boolean>> = {
    SCMP_CMP_NE: actual !== value,
    SCMP_CMP_LT: actual < value,
    SCMP_CMP_LE: actual <= value,
    SCMP_CMP_EQ: actual === value,
    SCMP_CMP_GE: actual >= value,
    SCMP_CMP_GT: actual > value,
    SCMP_CMP_MASKED_EQ: (actual & value) === second,
  };
  return results[arg.op]!;
}

function matches(rule: Rule, args: readonly bigint[], bits: 32 | 64): boolean {
  const tests = (rule.args ?? []).map((arg) => holds(arg, args, bits));
  const isRepeated = new Set(rule.args?.map(({ index }) => index)).size < tests.length;
  return isRepeated ? tests.some(Boolean) : tests.every(Boolean);
}

function expected(spec: UncheckedSpec, arch: ArchName, call: string, args: readonly bigint[]): string {
  const value = (action: string): number => ACTIONS[action]! + (action === "SCMP_ACT_ERRNO" ? 1 : 0);
  const rules = (spec.syscalls ?? []).filter((rule) => rule.names.includes(call) && rule.action !== spec.defaultAction);
  const final = rules.find((rule) => (rule.args ?? []).length === 0);
  const found = final ?? rules.find((rule) => matches(rule, args, BITS[arch]));
  return verdict(value(found?.action ?? spec.defaultAction));
}

const EDGES = [0n, 1n, 2n, 7n, 0x7fff_ffffn, 0xffff_fffen, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0007n];
const values = fc.oneof(
  fc.constantFrom(...EDGES, 0xffff_ffff_0000_0000n, MASK[64]),
  fc.bigInt({ min: 0n, max: MASK[64] }),
);
const CALLS = ["read", "kill", "openat", "mmap", "rt_sigaction", "getxattrat"];
const actions = fc.constantFrom("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_LOG", "SCMP_ACT_KILL_PROCESS");
const arg = fc.record({
  index: fc.integer({ min: 0, max: 2 }),
  value: values,
  valueTwo: values,
  op: fc.constantFrom(...Object.keys(OPERATORS)),
});
const rule = fc.record({
  names: fc.subarray(CALLS, { minLength: 1 }),
  action: actions,
  args: fc.array(arg, { maxLength: 3 }),
});
const profiles = fc.record({
  defaultAction: actions,
  architectures: fc.constant(["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"]),
  syscalls: fc.array(rule, { maxLength: 12 }),
});

describe("a filter says what its profile says", () => {
  test.each([
    ["x86_64", ["x86_64", "x86", "x32"]],
    ["aarch64", ["aarch64", "arm"]],
  ] as const)("on %s", (host, arches) => {
    const property = fc.property(
      profiles,
      fc.array(fc.tuple(values, values, values), { minLength: 4 }),
      (spec, more) => {
        const { program } = compileSeccomp(spec, { arch: host });
        const own = (spec.syscalls as Rule[]).flatMap(({ args }) => (args ?? []).map(({ value }) => BigInt(value)));
        const near = own.map((value): [bigint, bigint, bigint] => [value, value, (value + 1n) & MASK[64]]);
        for (const args of [...more, ...near]) {
          for (const arch of arches) {
            for (const call of [...CALLS, "close"]) {
              const number = syscallNumbers(arch).get(call);
              if (number === undefined) continue;
              const nr = arch === "x32" ? number + X32_BIT : number;
              const actual = verdict(runFilter(program, { nr, arch: AUDIT[arch], args }).value);
              if (actual !== expected(spec, arch, call, args)) expect([arch, call, args, actual]).toBe("expected");
            }
          }
        }
      },
    );
    fc.assert(property, { numRuns: 150 });
  });
});
