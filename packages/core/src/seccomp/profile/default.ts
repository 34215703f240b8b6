// The default profile, resolved for one container: its capabilities, the machine, the kernel. An OCI object comes out, which
// the engine puts into the spec like a profile of the user's own. Rules with argument conditions are here.
import type { SeccompSpec } from "@lapstrake/base";
import type { HostFacts } from "../../facts/types.ts";
import * as flag from "../../sys/flags.ts";
import { ENOSYS, EPERM } from "../numbers.ts";
import { CALL_GROUPS, type When } from "./calls.ts";

type SyscallRule = NonNullable<SeccompSpec["syscalls"]>[number];

/** What the default profile depends on besides capabilities. */
export type ProfileHost = Pick<HostFacts, "arch" | "kernel">;

const ARCHITECTURES: Readonly<Record<HostFacts["arch"], readonly string[]>> = {
  x86_64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  aarch64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

// Address families (linux/socket.h) up to AF_ROSE, then one by one. Left out: those the kernel no longer has (DECnet 12,
// ECONET 19, ATMSVC 20, IRDA 23, WANPIPE 25, ISDN 34, CAIF 37), ALG 38 (the kernel's cryptography, CVE-2026-31431) and
// VSOCK 40 (the hypervisor's sockets, which know no network namespaces).
const FIRST_SHUT_FAMILY = 12;
const FAMILIES: readonly number[] = [
  13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45,
];

// personality(2): Linux, Linux32, both with UNAME26, and the question which one it is.
const PERSONALITIES: readonly number[] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

// All but CLONE_NEWTIME, whose bit is part of clone's exit signal.
const CLONE_NAMESPACES =
  flag.CLONE_NEWNS |
  flag.CLONE_NEWCGROUP |
  flag.CLONE_NEWUTS |
  flag.CLONE_NEWIPC |
  flag.CLONE_NEWUSER |
  flag.CLONE_NEWPID |
  flag.CLONE_NEWNET;

function allow(names: readonly string[], op?: string, value?: number): SyscallRule {
  const rule = { names, action: "SCMP_ACT_ALLOW" };
  return op === undefined || value === undefined ? rule : { ...rule, args: [{ index: 0, value, op }] };
}

function holds(when: When, capabilities: readonly string[], host: ProfileHost): boolean {
  const [major, minor] = when.minKernel ?? [0, 0];
  const { kernel } = host;
  return (
    (when.has === undefined || capabilities.includes(when.has)) &&
    (when.arch === undefined || when.arch === host.arch) &&
    (kernel.major > major || (kernel.major === major && kernel.minor >= minor))
  );
}

// Without CAP_SYS_ADMIN no new namespaces: clone's flags are looked at, clone3's are behind a pointer, so a C library
// is told that the kernel has none and falls back to clone.
function cloneRules(capabilities: readonly string[]): SyscallRule[] {
  if (capabilities.includes("CAP_SYS_ADMIN")) return [];
  const args = [{ index: 0, value: CLONE_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }];
  return [
    { names: ["clone"], action: "SCMP_ACT_ALLOW", args },
    { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
  ];
}

/** The profiles made here by what they depend on, so that the cache finds their filters without hashing them. */
const NAMES = new WeakMap<object, string>();

/** What a profile of {@link defaultSeccompProfile} depends on, as text; undefined for any other object. */
export function defaultProfileName(profile: object): string | undefined {
  return NAMES.get(profile);
}

/**
 * Docker's default profile for a container with these capabilities in its bounding set (names as in capabilities(7)).
 * Rules: see `calls.ts`. Without CAP_SYS_ADMIN no call that makes or enters namespaces or mounts is open.
 */
export function defaultSeccompProfile(capabilities: readonly string[], host: ProfileHost): SeccompSpec {
  const held = CALL_GROUPS.map(({ when }) => when === undefined || holds(when, capabilities, host));
  const groups = CALL_GROUPS.filter((_, i) => held[i]);
  const clone = cloneRules(capabilities);
  const profile: SeccompSpec = {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    architectures: ARCHITECTURES[host.arch],
    syscalls: [
      allow([...new Set(groups.flatMap(({ calls }) => calls.split(" ")))]),
      allow(["socket"], "SCMP_CMP_LT", FIRST_SHUT_FAMILY),
      ...FAMILIES.map((family) => allow(["socket"], "SCMP_CMP_EQ", family)),
      ...PERSONALITIES.map((persona) => allow(["personality"], "SCMP_CMP_EQ", persona)),
      ...clone,
    ],
  };
  NAMES.set(profile, `${host.arch} ${held.map(Number).join("")} ${clone.length}`);
  return profile;
}
