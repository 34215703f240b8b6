import { describe, expect, test } from "vitest";
import { resolveSeccompProfile } from "./docker.ts";
import type { ProfileHost } from "./default.ts";

const HOST: ProfileHost = { arch: "x86_64", kernel: { release: "6.1.0", major: 6, minor: 1 } };
const ADMIN = ["CAP_CHOWN", "CAP_SYS_ADMIN"];

function resolved(rule: object, capabilities: readonly string[] = ["CAP_CHOWN"], host: ProfileHost = HOST): unknown {
  const profile = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["x"], action: "SCMP_ACT_ALLOW", ...rule }] };
  return resolveSeccompProfile(profile, capabilities, host)?.syscalls;
}

const KEPT = [{ names: ["x"], action: "SCMP_ACT_ALLOW" }];

describe("conditions of a rule", () => {
  test.each<[object, boolean, (readonly string[])?, ProfileHost?]>([
    [{}, true],
    [{ includes: {}, excludes: {} }, true],
    [{ includes: null, excludes: null }, true],
    [{ includes: { caps: ["CAP_SYS_ADMIN"] } }, false],
    [{ includes: { caps: ["CAP_SYS_ADMIN"] } }, true, ADMIN],
    [{ includes: { caps: ["CAP_SYS_ADMIN", "CAP_BPF"] } }, false, ADMIN],
    [{ excludes: { caps: ["CAP_SYS_ADMIN"] } }, true],
    [{ excludes: { caps: ["CAP_SYS_ADMIN", "CAP_BPF"] } }, false, ADMIN],
    [{ includes: { arches: ["amd64", "x32"] } }, true],
    [{ includes: { arches: ["arm64"] } }, false],
    [{ includes: { arches: ["arm64"] } }, true, [], { ...HOST, arch: "aarch64" }],
    [{ excludes: { arches: ["s390", "s390x"] } }, true],
    [{ excludes: { arches: ["amd64"] } }, false],
    [{ includes: { minKernel: "4.8" } }, true],
    [{ includes: { minKernel: "6.1" } }, true],
    [{ includes: { minKernel: "6.2" } }, false],
    [{ includes: { minKernel: "7.0" } }, false],
    [{ excludes: { minKernel: "4.8" } }, false],
    [{ includes: { caps: ["CAP_CHOWN"] }, excludes: { caps: ["CAP_CHOWN"] } }, false],
  ])("%j: %s", (rule, isKept, capabilities, host) => {
    expect(resolved(rule, capabilities, host)).toEqual(isKept ? KEPT : []);
  });

  test("an old profile's single name becomes a list, comments go", () => {
    expect(resolved({ names: undefined, name: "mkdir", comment: "why" })).toEqual([
      { names: ["mkdir"], action: "SCMP_ACT_ALLOW" },
    ]);
  });
});

describe("the profile", () => {
  const archMap = [
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
    { architecture: "SCMP_ARCH_RISCV64", subArchitectures: null },
  ];

  test("archMap gives the architectures of this machine", () => {
    const profile = { defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 1, archMap, syscalls: null };
    expect(resolveSeccompProfile(profile, [], HOST)).toEqual({
      defaultAction: "SCMP_ACT_ALLOW",
      defaultErrnoRet: 1,
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      syscalls: [],
    });
  });

  test("an OCI profile stays what it is", () => {
    const profile = { defaultAction: "SCMP_ACT_LOG", architectures: ["SCMP_ARCH_X86"], flags: [], syscalls: KEPT };
    expect(resolveSeccompProfile(profile, [], HOST)).toEqual(profile);
  });

  test("an empty one is no filter", () => {
    expect(resolveSeccompProfile({}, [], HOST)).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ["linux.seccomp: must be an object", []],
    ["linux.seccomp.archMap: is there beside architectures", { defaultAction: "x", archMap, architectures: ["y"] }],
    ["linux.seccomp.archMap[0]: must be an object", { defaultAction: "x", archMap: [1] }],
    ["linux.seccomp.syscalls[0]: must be an object", { syscalls: ["read"] }],
    ["linux.seccomp.syscalls[0]: has both name and names", { syscalls: [{ name: "a", names: ["b"] }] }],
    ["linux.seccomp.syscalls[0].includes: must be an object", { syscalls: [{ includes: "caps" }] }],
    ["linux.seccomp.syscalls[0].excludes.caps: must be a list", { syscalls: [{ excludes: { caps: "CAP_BPF" } }] }],
    ["linux.seccomp.syscalls[0].includes.minKernel: must be", { syscalls: [{ includes: { minKernel: 4.8 } }] }],
  ])("%s", (message, profile) => {
    expect(() => resolveSeccompProfile(profile, [], HOST)).toThrow(message);
  });
});
