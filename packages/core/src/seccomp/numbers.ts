// Numbers of seccomp(2) and of the specification's names for them: config-linux.md "Seccomp", linux/seccomp.h.
import type { ArchName } from "./arches.ts";
import type { Operator } from "./types.ts";

export const RET_KILL_PROCESS: number = 0x8000_0000;
export const RET_KILL_THREAD: number = 0;
export const RET_TRAP: number = 0x0003_0000;
export const RET_ERRNO: number = 0x0005_0000;
export const RET_USER_NOTIF: number = 0x7fc0_0000;
export const RET_TRACE: number = 0x7ff0_0000;
export const RET_LOG: number = 0x7ffc_0000;
export const RET_ALLOW: number = 0x7fff_0000;

/** Part of a return value that is the action; the rest is its data. */
export const RET_ACTION: number = 0xffff_0000;

export const EPERM: number = 1;
export const ENOSYS: number = 38;

/** Return value of each action; those of ERRNO and TRACE take data. */
export const ACTIONS: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: RET_KILL_THREAD,
  SCMP_ACT_KILL_THREAD: RET_KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: RET_KILL_PROCESS,
  SCMP_ACT_TRAP: RET_TRAP,
  SCMP_ACT_ERRNO: RET_ERRNO,
  SCMP_ACT_TRACE: RET_TRACE,
  SCMP_ACT_LOG: RET_LOG,
  SCMP_ACT_ALLOW: RET_ALLOW,
  SCMP_ACT_NOTIFY: RET_USER_NOTIF,
};

export const FLAG_SPEC_ALLOW: number = 4;
export const FLAG_NEW_LISTENER: number = 8;
export const FLAG_WAIT_KILLABLE_RECV: number = 32;

/** Filter flags by name. TSYNC has no bit here: the process that installs the filter has one thread, nobody to sync with. */
export const FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: FLAG_WAIT_KILLABLE_RECV,
};

/** Comparison operators by name. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  SCMP_CMP_NE: "NE",
  SCMP_CMP_LT: "LT",
  SCMP_CMP_LE: "LE",
  SCMP_CMP_EQ: "EQ",
  SCMP_CMP_GE: "GE",
  SCMP_CMP_GT: "GT",
  SCMP_CMP_MASKED_EQ: "MASKED_EQ",
};

/** Architectures by the specification's name; null: known, but of no machine this runs on, so it never occurs. */
export const ARCH_NAMES: Readonly<Record<string, ArchName | null>> = {
  SCMP_ARCH_X86_64: "x86_64",
  SCMP_ARCH_X86: "x86",
  SCMP_ARCH_X32: "x32",
  SCMP_ARCH_AARCH64: "aarch64",
  SCMP_ARCH_ARM: "arm",
  ...Object.fromEntries(
    (
      "MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC PARISC64 RISCV64 " +
      "LOONGARCH64 M68K SH SHEB"
    )
      .split(" ")
      .map((name) => [`SCMP_ARCH_${name}`, null]),
  ),
};

/** Calls that only machines of other kinds have, and common profiles name: ignored without a word. */
export const FOREIGN_CALLS: ReadonlySet<string> = new Set(
  (
    "riscv_flush_icache riscv_hwprobe s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr " +
    "s390_sthyi spu_create spu_run subpage_prot swapcontext switch_endian sys_debug_setcontext rtas multiplexer " +
    "pciconfig_iobase pciconfig_read pciconfig_write sysmips"
  ).split(" "),
);
