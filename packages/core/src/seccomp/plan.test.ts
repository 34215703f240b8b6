import { describe, expect, test } from "vitest";
import type { RuntimeSpec, SeccompSpec } from "@lapstrake/base";
import { cachedSeccomp } from "./cache.ts";
import { seccompFor } from "./plan.ts";

const FACTS = { arch: "x86_64" } as const;

function spec(seccomp?: SeccompSpec): RuntimeSpec {
  return { ociVersion: "1.2.0", linux: seccomp === undefined ? {} : { seccomp } };
}

const DENY: SeccompSpec = {
  defaultAction: "SCMP_ACT_ALLOW",
  flags: ["SECCOMP_FILTER_FLAG_LOG"],
  syscalls: [{ names: ["mkdir", "nope"], action: "SCMP_ACT_ERRNO" }],
};

describe("seccompFor", () => {
  test("no profile, no operation", () => {
    expect(seccompFor(spec(), FACTS)).toEqual({ ops: [], warnings: [] });
  });

  test("one operation with flags and program; warnings beside it", () => {
    const { ops, warnings } = seccompFor(spec(DENY), FACTS);
    expect(ops).toEqual([{ op: "seccomp", flags: 2, filter: expect.any(Uint8Array) as Uint8Array }]);
    expect(warnings).toEqual(["linux.seccomp: unknown system calls ignored: nope"]);
  });

  test("a listener is refused with what to do", () => {
    const notify: SeccompSpec = {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: "/run/agent.sock",
      syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
    };
    expect(() => seccompFor(spec(notify), FACTS)).toThrow(
      expect.objectContaining({
        code: "ERR_LAP_SECCOMP_NOTIFY",
        message: expect.stringContaining("/run/agent.sock") as string,
      }),
    );
  });
});

describe("the cache", () => {
  test("gives the same filter for equal profiles, another for other options or profiles", () => {
    const first = cachedSeccomp(DENY, FACTS);
    expect(cachedSeccomp(structuredClone(DENY), FACTS)).toBe(first);
    expect(cachedSeccomp(DENY, { ...FACTS, newer: "enosys" })).not.toBe(first);
    expect(cachedSeccomp({ ...DENY, defaultErrnoRet: 3 }, FACTS)).not.toBe(first);
  });

  test("tells a bigint from the text of it, and forgets the oldest", () => {
    const withValue = (value: bigint): SeccompSpec => ({
      ...DENY,
      syscalls: [{ names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{ index: 0, value, op: "SCMP_CMP_EQ" }] }],
    });
    const first = cachedSeccomp(withValue(0n), FACTS);
    for (let value = 1n; value <= 20n; value++) cachedSeccomp(withValue(value), FACTS);
    expect(cachedSeccomp(withValue(20n), FACTS)).toBe(cachedSeccomp(withValue(20n), FACTS));
    expect(cachedSeccomp(withValue(0n), FACTS)).not.toBe(first);
  });
});
