import { describe, expect, test } from "vitest";
import { AUDIT, runFilter, verdict } from "../../../../../test/support/bpf.ts";
import { DEFAULT_CAPABILITIES } from "../../spec/capabilities.ts";
import { syscallNumbers, X32_BIT, type ArchName } from "../arches.ts";
import { compileSeccomp } from "../compile.ts";
import { CALL_GROUPS } from "./calls.ts";
import { defaultSeccompProfile, type ProfileHost } from "./default.ts";

const X86: ProfileHost = { arch: "x86_64", kernel: { release: "6.1.0", major: 6, minor: 1 } };
const ARM: ProfileHost = { ...X86, arch: "aarch64" };

type Ask = (arch: ArchName, call: string, ...args: (number | bigint)[]) => string;

function asker(capabilities: readonly string[], host: ProfileHost = X86): Ask {
  const profile = defaultSeccompProfile(capabilities, host);
  const { program } = compileSeccomp(profile, { arch: host.arch, newer: "enosys" });
  return (arch, call, ...args) => {
    const number = syscallNumbers(arch).get(call);
    if (number === undefined) throw new Error(`${arch} has no ${call}`);
    const nr = arch === "x32" ? number + X32_BIT : number;
    return verdict(runFilter(program, { nr, arch: AUDIT[arch], args: args.map(BigInt) }).value);
  };
}

const ask = asker(DEFAULT_CAPABILITIES);
const askAdmin = asker([...DEFAULT_CAPABILITIES, "CAP_SYS_ADMIN"]);

describe("what a container may not do, on every ABI", () => {
  const SHUT =
    "mount umount2 pivot_root unshare setns swapon reboot init_module finit_module delete_module kexec_load " +
    "io_uring_setup io_uring_enter io_uring_register bpf userfaultfd perf_event_open keyctl add_key request_key " +
    "open_by_handle_at settimeofday clock_settime acct quotactl syslog sethostname setdomainname iopl ioperm " +
    "fsopen fsmount fsconfig fspick open_tree move_mount mount_setattr kcmp pidfd_getfd lookup_dcookie " +
    "move_pages migrate_pages mbind set_mempolicy vhangup fanotify_init process_madvise swapoff ustat sysfs uselib";

  test.each(["x86_64", "x86", "x32"] as const)("%s", (arch) => {
    const calls = SHUT.split(" ").filter((call) => syscallNumbers(arch).has(call));
    expect(calls.length).toBeGreaterThan(45);
    expect(calls.filter((call) => ask(arch, call) !== "errno 1")).toEqual([]);
  });

  test("namespaces by clone: only without their flags; clone3 does not exist", () => {
    for (const flag of [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]) {
      expect(ask("x86_64", "clone", flag | 17)).toBe("errno 1");
    }
    expect(ask("x86_64", "clone", 0x3d_0f00)).toBe("allow");
    expect(ask("x86_64", "clone3")).toBe("errno 38");
  });

  test("sockets by family", () => {
    const shut = Array.from({ length: 64 }, (_, family) => family).filter(
      (family) => ask("x86_64", "socket", family) !== "allow",
    );
    const beyond = Array.from({ length: 18 }, (_, index) => 46 + index);
    expect(shut).toEqual([12, 19, 20, 23, 25, 34, 37, 38, 40, ...beyond]);
    expect(ask("x86", "socket", 40)).toBe("errno 1");
    expect(ask("x86_64", "socket", 0x1_0000_0002n)).toBe("errno 1");
  });

  test("personalities", () => {
    const open = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff].map((persona) => ask("x86_64", "personality", persona));
    expect(new Set(open)).toEqual(new Set(["allow"]));
    expect(ask("x86_64", "personality", 0x4_0000)).toBe("errno 1");
  });

  test("calls newer than the profile do not exist", () => {
    expect(ask("x86_64", "file_setattr")).toBe("errno 38");
    expect(ask("x86", "listns")).toBe("errno 38");
  });
});

describe("capabilities open their calls", () => {
  test.each(CALL_GROUPS.filter(({ when }) => when?.has !== undefined).map(({ when, calls }) => [when!.has!, calls]))(
    "%s",
    (capability, calls) => {
      const given = asker([capability]);
      const names = calls.split(" ").filter((call) => syscallNumbers("x86_64").has(call));
      expect(names.filter((call) => given("x86_64", call, 0x4000_0000) !== "allow")).toEqual([]);
    },
  );

  test("CAP_SYS_ADMIN opens clone3 and namespaces, not io_uring", () => {
    expect(askAdmin("x86_64", "clone", 0x4000_0000)).toBe("allow");
    expect(askAdmin("x86_64", "clone3")).toBe("allow");
    expect(askAdmin("x86_64", "io_uring_setup")).toBe("errno 1");
  });
});

describe("machines and kernels", () => {
  test("every name is one of some architecture", () => {
    const all = (["x86_64", "x86", "x32", "aarch64", "arm"] as const).map((arch) => syscallNumbers(arch));
    const names = CALL_GROUPS.flatMap(({ calls }) => calls.split(" "));
    expect(names.filter((name) => !all.some((numbers) => numbers.has(name)))).toEqual([]);
    expect(compileSeccomp(defaultSeccompProfile([], X86), { arch: "x86_64" }).warnings).toEqual([]);
  });

  test("tracing needs 4.8, or the capability", () => {
    const old: ProfileHost = { arch: "x86_64", kernel: { release: "4.4.0", major: 4, minor: 4 } };
    expect(ask("x86_64", "ptrace")).toBe("allow");
    expect(asker([], old)("x86_64", "ptrace")).toBe("errno 1");
    expect(asker(["CAP_SYS_PTRACE"], old)("x86_64", "ptrace")).toBe("allow");
  });

  test("each machine has its own calls", () => {
    expect(ask("x86_64", "arch_prctl")).toBe("allow");
    const arm = asker(DEFAULT_CAPABILITIES, ARM);
    expect(arm("arm", "cacheflush")).toBe("allow");
    expect(arm("arm", "set_tls")).toBe("allow");
    expect(arm("aarch64", "openat")).toBe("allow");
    expect(arm("aarch64", "mount")).toBe("errno 1");
  });
});
