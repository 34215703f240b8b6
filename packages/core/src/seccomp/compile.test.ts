import { describe, expect, test } from "vitest";
import { AUDIT, runFilter, verdict } from "../../../../test/support/bpf.ts";
import { syscallNumbers, X32_BIT, type ArchName } from "./arches.ts";
import { compileSeccomp } from "./compile.ts";
import type { CompiledSeccomp, SeccompOptions, UncheckedSpec } from "./types.ts";

type Syscalls = NonNullable<UncheckedSpec["syscalls"]>;
type Arg = NonNullable<Syscalls[number]["args"]>[number];

const X86: SeccompOptions = { arch: "x86_64" };
const ALL_X86 = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];

function profile(syscalls: Syscalls, more: Partial<UncheckedSpec> = {}): UncheckedSpec {
  return { defaultAction: "SCMP_ACT_ERRNO", architectures: ALL_X86, syscalls, ...more };
}

function allow(names: readonly string[], ...args: Arg[]): Syscalls[number] {
  return { names, action: "SCMP_ACT_ALLOW", args };
}

function ask(filter: CompiledSeccomp, arch: ArchName, call: string | number, ...args: (number | bigint)[]): string {
  const number = typeof call === "number" ? call : syscallNumbers(arch).get(call);
  if (number === undefined) throw new Error(`${arch} has no ${call}`);
  const nr = arch === "x32" ? (number | X32_BIT) >>> 0 : number;
  return verdict(runFilter(filter.program, { nr, arch: AUDIT[arch], args: args.map(BigInt) }).value);
}

describe("calls and architectures", () => {
  const filter = compileSeccomp(profile([allow(["read", "write", "openat"])]), X86);

  test("listed calls of every architecture pass, others get the default", () => {
    for (const arch of ["x86_64", "x86", "x32"] as const) {
      expect([arch, ask(filter, arch, "openat"), ask(filter, arch, "close")]).toEqual([arch, "allow", "errno 1"]);
    }
    expect(ask(filter, "x86_64", 5000)).toBe("errno 1");
  });

  test("a call of another architecture kills", () => {
    expect(ask(filter, "aarch64", "read")).toBe("kill-thread");
    const native = compileSeccomp(profile([allow(["read"])], { architectures: [] }), X86);
    expect(ask(native, "x86_64", "read")).toBe("allow");
    expect(ask(native, "x86", "read")).toBe("kill-thread");
    expect(ask(native, "x32", "read")).toBe("kill-thread");
  });

  test("a call that a tracer skips is not killed", () => {
    const native = compileSeccomp(profile([allow(["read"])], { architectures: [] }), X86);
    expect(ask(native, "x86_64", 0xffff_ffff)).toBe("errno 1");
  });

  test("aarch64 with its 32-bit calls", () => {
    const spec = profile([allow(["openat"])], { architectures: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"] });
    const arm = compileSeccomp(spec, { arch: "aarch64" });
    expect(ask(arm, "aarch64", "openat")).toBe("allow");
    expect(ask(arm, "arm", "openat")).toBe("allow");
    expect(ask(arm, "arm", "read")).toBe("errno 1");
    expect(ask(arm, "x86_64", "openat")).toBe("kill-thread");
  });

  test("an empty profile is its default action", () => {
    expect(ask(compileSeccomp({ defaultAction: "SCMP_ACT_ALLOW" }, X86), "x86_64", "read")).toBe("allow");
  });
});

describe("actions", () => {
  test.each([
    ["SCMP_ACT_KILL", undefined, "kill-thread"],
    ["SCMP_ACT_KILL_THREAD", undefined, "kill-thread"],
    ["SCMP_ACT_KILL_PROCESS", undefined, "kill-process"],
    ["SCMP_ACT_TRAP", undefined, "trap"],
    ["SCMP_ACT_ERRNO", undefined, "errno 1"],
    ["SCMP_ACT_ERRNO", 38, "errno 38"],
    ["SCMP_ACT_ERRNO", 0, "errno 0"],
    ["SCMP_ACT_TRACE", undefined, "trace 1"],
    ["SCMP_ACT_TRACE", 7, "trace 7"],
    ["SCMP_ACT_LOG", undefined, "log"],
    ["SCMP_ACT_NOTIFY", undefined, "notify"],
  ])("%s %s is %s", (action, errnoRet, expected) => {
    const rule = { names: ["getpid"], action, ...(errnoRet === undefined ? {} : { errnoRet }) };
    const filter = compileSeccomp(profile([rule], { defaultAction: "SCMP_ACT_ALLOW" }), X86);
    expect(ask(filter, "x86_64", "getpid")).toBe(expected);
    expect(filter.listener).toBe(expected === "notify");
  });

  test("the first unconditional rule of a call wins, and drops conditional ones before it", () => {
    const one: Arg = { index: 0, value: 1, op: "SCMP_CMP_EQ" };
    const filter = compileSeccomp(
      profile([
        { names: ["kill"], action: "SCMP_ACT_TRAP", args: [one] },
        allow(["kill"]),
        { names: ["kill"], action: "SCMP_ACT_LOG" },
      ]),
      X86,
    );
    expect(ask(filter, "x86_64", "kill", 1)).toBe("allow");
  });

  test("a rule with the default action is dropped, as runc drops it", () => {
    const filter = compileSeccomp(profile([{ names: ["kill"], action: "SCMP_ACT_ERRNO" }, allow(["kill"])]), X86);
    expect(ask(filter, "x86_64", "kill")).toBe("allow");
  });
});

describe("arguments", () => {
  const big = 0x1_0000_0005n;
  test.each([
    ["SCMP_CMP_EQ", [big], [5n, 0x2_0000_0005n, big + 1n]],
    ["SCMP_CMP_NE", [5n, 0x2_0000_0005n], [big]],
    ["SCMP_CMP_LT", [0n, 0xffff_ffffn, big - 1n], [big, big + 1n, 0x2_0000_0000n]],
    ["SCMP_CMP_LE", [0n, big], [big + 1n, 0x2_0000_0000n]],
    ["SCMP_CMP_GE", [big, big + 1n, 0x2_0000_0000n], [big - 1n, 0xffff_ffffn, 0n]],
    ["SCMP_CMP_GT", [big + 1n, 0x2_0000_0000n, 0xffff_ffff_ffff_ffffn], [big, 6n]],
  ])("%s compares 64 bits", (op, pass, fail) => {
    const filter = compileSeccomp(profile([allow(["kill"], { index: 1, value: big, op })]), X86);
    const passing = [...pass, ...fail].filter((value) => ask(filter, "x86_64", "kill", 0, value) === "allow");
    expect(passing).toEqual(pass);
  });

  test("MASKED_EQ looks at the masked bits of both halves", () => {
    const arg: Arg = { index: 2, value: 0xff_0000_00ffn, valueTwo: 0x01_0000_0002n, op: "SCMP_CMP_MASKED_EQ" };
    const filter = compileSeccomp(profile([allow(["kill"], arg)]), X86);
    expect(ask(filter, "x86_64", "kill", 0, 0, 0x01_abcd_ef02n)).toBe("allow");
    expect(ask(filter, "x86_64", "kill", 0, 0, 0x02_abcd_ef02n)).toBe("errno 1");
    expect(ask(filter, "x86_64", "kill", 0, 0, 0x01_abcd_ef03n)).toBe("errno 1");
  });

  test("32-bit architectures compare the low half", () => {
    const filter = compileSeccomp(profile([allow(["kill"], { index: 0, value: 5, op: "SCMP_CMP_EQ" })]), X86);
    expect(ask(filter, "x86", "kill", big)).toBe("allow");
    expect(ask(filter, "x32", "kill", big)).toBe("allow");
    expect(ask(filter, "x86_64", "kill", big)).toBe("errno 1");
  });

  test("conditions of a rule are all needed, rules of a call are alternatives", () => {
    const filter = compileSeccomp(
      profile([
        allow(["kill"], { index: 0, value: 1, op: "SCMP_CMP_EQ" }, { index: 1, value: 9, op: "SCMP_CMP_LT" }),
        allow(["kill"], { index: 0, value: 7, op: "SCMP_CMP_EQ" }),
      ]),
      X86,
    );
    expect(ask(filter, "x86_64", "kill", 1, 8)).toBe("allow");
    expect(ask(filter, "x86_64", "kill", 1, 9)).toBe("errno 1");
    expect(ask(filter, "x86_64", "kill", 7, 9)).toBe("allow");
    expect(ask(filter, "x86_64", "kill", 2, 1)).toBe("errno 1");
  });

  test("two tests of one argument in one rule are alternatives, as in runc", () => {
    const filter = compileSeccomp(
      profile([allow(["kill"], { index: 0, value: 2, op: "SCMP_CMP_LT" }, { index: 0, value: 9, op: "SCMP_CMP_GT" })]),
      X86,
    );
    expect(["allow", "errno 1", "allow"]).toEqual([1, 5, 10].map((value) => ask(filter, "x86_64", "kill", value)));
  });

  test("2^64-1 of a JSON file, which arrives as 2^64, is all ones", () => {
    const value = JSON.parse("18446744073709551615") as number;
    const filter = compileSeccomp(profile([allow(["kill"], { index: 0, value, op: "SCMP_CMP_EQ" })]), X86);
    expect(ask(filter, "x86_64", "kill", 0xffff_ffff_ffff_ffffn)).toBe("allow");
  });
});

describe("i386 multiplexers", () => {
  const filter = compileSeccomp(profile([allow(["connect", "semop"], { index: 0, value: 3, op: "SCMP_CMP_EQ" })]), X86);

  test("a rule of a socket call is one of socketcall, by its first argument", () => {
    expect(ask(filter, "x86", "socketcall", 3)).toBe("allow");
    expect(ask(filter, "x86", "socketcall", 2)).toBe("errno 1");
    expect(ask(filter, "x86", "connect", 3)).toBe("allow");
    expect(ask(filter, "x86", "connect", 4)).toBe("errno 1");
  });

  test("ipc likewise, also where the call itself does not exist", () => {
    expect(ask(filter, "x86", "ipc", 1)).toBe("allow");
    expect(ask(filter, "x86", "ipc", 2)).toBe("errno 1");
    const only = compileSeccomp(profile([allow(["semop"])]), { ...X86, newer: "enosys" });
    expect(ask(only, "x86", "ipc", 1)).toBe("allow");
    expect(ask(only, "x86", "read")).toBe("errno 1");
  });
});

describe("calls newer than the profile", () => {
  const spec = profile([allow(["read", "openat2"]), { names: ["listmount"], action: "SCMP_ACT_ERRNO" }]);

  test("get ENOSYS when asked for, above the last name of any rule", () => {
    const filter = compileSeccomp(spec, { ...X86, newer: "enosys" });
    for (const arch of ["x86_64", "x86", "x32"] as const) {
      const verdicts = ["clone3", "listmount", "lsm_get_self_attr"].map((call) => ask(filter, arch, call));
      expect([arch, ...verdicts]).toEqual([arch, "errno 1", "errno 1", "errno 38"]);
    }
  });

  test("get the default action otherwise, and where the default lets calls through", () => {
    expect(ask(compileSeccomp(spec, X86), "x86_64", 1000)).toBe("errno 1");
    const open = profile([{ names: ["kill"], action: "SCMP_ACT_ERRNO" }], { defaultAction: "SCMP_ACT_LOG" });
    expect(ask(compileSeccomp(open, { ...X86, newer: "enosys" }), "x86_64", 1000)).toBe("log");
  });
});

describe("size", () => {
  const many = (count: number): Syscalls =>
    Array.from({ length: count }, (_, value) =>
      allow(
        ["kill"],
        { index: 0, value: value * 2, op: "SCMP_CMP_EQ" },
        { index: 1, value: value * 3, op: "SCMP_CMP_EQ" },
      ),
    );

  test("programs with jumps beyond 255 instructions decide right", () => {
    const filter = compileSeccomp(profile(many(200), { architectures: [] }), X86);
    expect(filter.program.length / 8).toBeGreaterThan(1000);
    for (const value of [0, 1, 100, 199]) {
      expect(ask(filter, "x86_64", "kill", value * 2, value * 3)).toBe("allow");
      expect(ask(filter, "x86_64", "kill", value * 2, value * 3 + 1)).toBe("errno 1");
    }
  });

  test("more than 4096 instructions are refused", () => {
    expect(() => compileSeccomp(profile(many(16_000)), X86)).toThrow(
      expect.objectContaining({ code: "ERR_LAP_SECCOMP_TOO_LONG" }),
    );
  });
});
