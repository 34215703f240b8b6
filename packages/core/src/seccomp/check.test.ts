import { isLapError } from "@lapstrake/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkProfile } from "./check.ts";
import { compileSeccomp } from "./compile.ts";
import { resolveSeccompProfile } from "./profile/docker.ts";
import type { UncheckedSpec } from "./types.ts";

function check(spec: unknown): ReturnType<typeof checkProfile> {
  return checkProfile(spec as UncheckedSpec, { arch: "x86_64" });
}

function withRule(rule: unknown): unknown {
  return { defaultAction: "SCMP_ACT_ERRNO", syscalls: [rule] };
}

function withArg(arg: unknown): unknown {
  return withRule({ names: ["kill"], action: "SCMP_ACT_ALLOW", args: [arg] });
}

describe("hostile profiles are refused by the name of the field", () => {
  test.each<[string, unknown]>([
    ["linux.seccomp: must be an object, not null", null],
    ["linux.seccomp: must be an object, not []", []],
    ["linux.seccomp: must be an object, not [5]", [5n]],
    ["linux.seccomp.defaultAction: unknown action nothing", {}],
    ["linux.seccomp.defaultAction: unknown action", { defaultAction: "toString" }],
    ["linux.seccomp.defaultAction: SCMP_ACT_NOTIFY", { defaultAction: "SCMP_ACT_NOTIFY" }],
    ["linux.seccomp.defaultErrnoRet: must be", { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: -1 }],
    ["linux.seccomp.defaultErrnoRet: must be", { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 65_536 }],
    ["linux.seccomp.architectures[1]: unknown", { defaultAction: "SCMP_ACT_LOG", architectures: ["SCMP_ARCH_ARM", 7] }],
    ["linux.seccomp.architectures: must be a list", { defaultAction: "SCMP_ACT_LOG", architectures: "SCMP_ARCH_ARM" }],
    ["linux.seccomp.flags[0]: unknown flag", { defaultAction: "SCMP_ACT_LOG", flags: ["SECCOMP_FILTER_FLAG_X"] }],
    ["linux.seccomp.syscalls: must be a list", { defaultAction: "SCMP_ACT_LOG", syscalls: {} }],
    ["linux.seccomp.syscalls: has 16385 entries", { defaultAction: "SCMP_ACT_LOG", syscalls: Array(16_385).fill({}) }],
    ["linux.seccomp.syscalls[0]: must be an object", withRule("read")],
    ["linux.seccomp.syscalls[0].names: must name", withRule({ names: [], action: "SCMP_ACT_ALLOW" })],
    ["linux.seccomp.syscalls[0].names[1]: must be", withRule({ names: ["a", 3], action: "SCMP_ACT_ALLOW" })],
    ["linux.seccomp.syscalls[0].names[0]: must be", withRule({ names: ["x".repeat(200)], action: "SCMP_ACT_ALLOW" })],
    ["linux.seccomp.syscalls[0].action: unknown", withRule({ names: ["read"], action: "allow" })],
    [
      "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY cannot be used for the write syscall",
      withRule({ names: ["write"], action: "SCMP_ACT_NOTIFY" }),
    ],
    [
      "SCMP_ACT_NOTIFY cannot be used for the sendmsg syscall",
      withRule({ names: ["sendmsg"], action: "SCMP_ACT_NOTIFY" }),
    ],
    ["linux.seccomp.syscalls[0].errnoRet: must", withRule({ names: ["a"], action: "SCMP_ACT_ERRNO", errnoRet: "38" })],
    ["linux.seccomp.syscalls[0].args[0].index: must", withArg({ index: 6, value: 0, op: "SCMP_CMP_EQ" })],
    ["linux.seccomp.syscalls[0].args[0].value: must", withArg({ index: 0, value: -1, op: "SCMP_CMP_EQ" })],
    ["linux.seccomp.syscalls[0].args[0].value: must", withArg({ index: 0, value: 0.5, op: "SCMP_CMP_EQ" })],
    ["linux.seccomp.syscalls[0].args[0].value: must", withArg({ index: 0, value: 2n ** 64n, op: "SCMP_CMP_EQ" })],
    ["linux.seccomp.syscalls[0].args[0].op: unknown", withArg({ index: 0, value: 0, op: "__proto__" })],
  ])("%s", (message, spec) => {
    expect(() => check(spec)).toThrow(expect.objectContaining({ code: "ERR_LAP_SPEC_INVALID" }));
    expect(() => check(spec)).toThrow(message);
  });

  test("too many names", () => {
    const rule = { names: Array(40_000).fill("read"), action: "SCMP_ACT_ALLOW" };
    expect(() => check({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [rule, rule] })).toThrow("has 80000 names");
  });

  test("thousands of tests of one argument end quickly, one way or the other", () => {
    const rules = Array.from({ length: 4000 }, (_, value) => ({
      names: ["kill"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: value * 2 ** 33, op: "SCMP_CMP_NE" }],
    }));
    const started = process.cpuUsage().user;
    expect(
      compileSeccomp({ defaultAction: "SCMP_ACT_ERRNO", syscalls: rules }, { arch: "x86_64" }).program.length,
    ).toBeLessThan(200);
    expect((process.cpuUsage().user - started) / 1000).toBeLessThan(3000);
  });
});

describe("anything at all", () => {
  const junk = fc.anything({ withBigInt: true, withNullPrototype: true });
  const action = fc.oneof(fc.constantFrom("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_NOTIFY", "__proto__"), junk);
  const arg = fc.oneof(
    junk,
    fc.record({
      index: fc.oneof(fc.nat(7), junk),
      value: junk,
      valueTwo: junk,
      op: fc.oneof(fc.constant("SCMP_CMP_EQ"), junk),
    }),
  );
  const rule = fc.oneof(
    junk,
    fc.record({
      names: fc.oneof(fc.array(fc.oneof(fc.constantFrom("read", "constructor"), junk)), junk),
      action,
      errnoRet: junk,
      args: fc.oneof(fc.array(arg), junk),
      includes: fc.oneof(fc.record({ caps: junk, arches: junk, minKernel: junk }), junk),
    }),
  );
  const spec = fc.oneof(
    junk,
    fc.record({
      defaultAction: action,
      defaultErrnoRet: junk,
      architectures: fc.oneof(fc.array(junk), junk),
      archMap: fc.oneof(fc.array(fc.record({ architecture: junk, subArchitectures: junk })), junk),
      flags: fc.oneof(fc.array(junk), junk),
      syscalls: fc.oneof(fc.array(rule), junk),
    }),
  );
  const host = { arch: "x86_64", kernel: { release: "6.1.0", major: 6, minor: 1 } } as const;

  // The one error it may end in is ours.
  function outcome(body: () => unknown): void {
    try {
      body();
    } catch (error) {
      if (!isLapError(error, "invalidArgument")) throw error;
    }
  }

  test("compiles or is refused by us", () => {
    fc.assert(
      fc.property(spec, (value) => outcome(() => compileSeccomp(value as UncheckedSpec, { arch: "x86_64" }))),
      {
        numRuns: 2000,
      },
    );
  });

  test("in Docker's form too", () => {
    fc.assert(
      fc.property(spec, (value) => outcome(() => resolveSeccompProfile(value, ["CAP_CHOWN"], host))),
      {
        numRuns: 2000,
      },
    );
  });
});

describe("what is ignored is said", () => {
  test("unknown calls, an errno without use, a flag without its listener", () => {
    const { warnings, flags } = compileSeccomp(
      {
        defaultAction: "SCMP_ACT_ERRNO",
        flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        syscalls: [{ names: ["read", "no_such_call", "riscv_hwprobe"], action: "SCMP_ACT_ALLOW", errnoRet: 5 }],
      },
      { arch: "x86_64" },
    );
    expect(warnings).toEqual([
      'linux.seccomp.syscalls[0].errnoRet: "SCMP_ACT_ALLOW" takes no errno, ignored',
      "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a SCMP_ACT_NOTIFY rule, ignored",
      "linux.seccomp: unknown system calls ignored: no_such_call",
    ]);
    expect(flags).toBe(2);
  });

  test("lists that Go writes as null are absent", () => {
    const spec = { defaultAction: "SCMP_ACT_ALLOW", architectures: null, flags: null, syscalls: null };
    expect(check(spec)).toMatchObject({ arches: ["x86_64"], flags: 4, rules: [], warnings: [] });
  });

  test("a listener makes its flags", () => {
    const rule = { names: ["mkdir"], action: "SCMP_ACT_NOTIFY" };
    const all = [
      "SECCOMP_FILTER_FLAG_TSYNC",
      "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
      "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    ];
    expect(check({ defaultAction: "SCMP_ACT_ALLOW", flags: all, syscalls: [rule] }).flags).toBe(4 | 8 | 32);
  });

  test("architectures of other machines are known and left out", () => {
    const names = ["SCMP_ARCH_S390X", "SCMP_ARCH_ARM", "SCMP_ARCH_X32"];
    expect(check({ defaultAction: "SCMP_ACT_ALLOW", architectures: names }).arches).toEqual(["x86_64", "x32"]);
  });
});
