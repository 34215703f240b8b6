import { describe, expect, test } from "vitest";
import type { SeccompSpec } from "@lapstrake/base";
import { DEFAULT_CAPABILITIES } from "../spec/capabilities.ts";
import { cachedSeccomp, keyOf, useFilterShelf } from "./cache.ts";
import { compileSeccomp } from "./compile.ts";
import { defaultSeccompProfile } from "./profile/default.ts";
import type { CompiledSeccomp } from "./types.ts";
import { precompile } from "./tables/precompile.ts";
import { PRECOMPILED, PRECOMPILED_NAMES } from "./tables/precompiled.ts";

const FACTS = { arch: "x86_64" } as const;
const DENY: SeccompSpec = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }],
};

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
    for (let value = 1n; value <= 40n; value++) cachedSeccomp(withValue(value), FACTS);
    expect(cachedSeccomp(withValue(40n), FACTS)).toBe(cachedSeccomp(withValue(40n), FACTS));
    expect(cachedSeccomp(withValue(0n), FACTS)).not.toBe(first);
  });
});

describe("a shelf", () => {
  test("is asked before compiling, and gets what was compiled, warnings and all", () => {
    const kept = new Map<string, CompiledSeccomp>();
    useFilterShelf({ find: (text) => kept.get(text), keep: (text, compiled) => void kept.set(text, compiled) });
    const spec: SeccompSpec = { ...DENY, defaultErrnoRet: 77 };
    const first = cachedSeccomp(spec, FACTS);
    expect([...kept.values()]).toEqual([first]);
    for (let value = 0; value < 40; value++) cachedSeccomp({ ...DENY, defaultErrnoRet: 100 + value }, FACTS);
    const marked = { ...first, warnings: ["from the shelf"] };
    for (const text of kept.keys()) kept.set(text, marked);
    expect(cachedSeccomp(spec, FACTS)).toBe(marked);
    useFilterShelf({ find: () => undefined, keep: () => undefined });
  });
});

describe("filters that come with the program", () => {
  test("are what the compiler makes of the default profile today, else run tables/precompile.ts", () => {
    const kept = [...PRECOMPILED].map(([key, program]) => [key, program.replaceAll("\n", "")]);
    expect(kept).toEqual(precompile().map(([key, program]) => [key, program]));
    expect([...PRECOMPILED_NAMES]).toEqual(precompile().map(([key, , name]) => [name, key]));
  });

  test("are found for Docker's capabilities on any kernel of today, also after a trip through JSON", () => {
    const host = { arch: "x86_64", kernel: { release: "6.18.44", major: 6, minor: 18 } } as const;
    const made = defaultSeccompProfile(DEFAULT_CAPABILITIES, host);
    const profile = JSON.parse(JSON.stringify(made)) as SeccompSpec;
    const options = { arch: "x86_64", newer: "enosys" } as const;
    expect(PRECOMPILED.has(keyOf(profile, options))).toBe(true);
    expect(cachedSeccomp(profile, options)).toEqual(compileSeccomp(profile, options));
    expect(cachedSeccomp(made, options)).toBe(cachedSeccomp(profile, options));
  });
});
