// The architectures a filter can name: audit tokens (linux/audit.h), word size, call numbers, and the two old i386 calls
// that carry many others (socketcall(2), ipc(2)).
import { AARCH64 } from "./tables/aarch64.ts";
import { ARM } from "./tables/arm.ts";
import { X32 } from "./tables/x32.ts";
import { X86_64 } from "./tables/x86-64.ts";
import { X86 } from "./tables/x86.ts";

/** Architectures with a call table here. */
export type ArchName = "x86_64" | "x86" | "x32" | "aarch64" | "arm";

/** Bit that marks an x32 call on x86_64. */
export const X32_BIT: number = 0x4000_0000;

/** A call that multiplexes others: its own number, and the first argument that stands for each. */
export interface Multiplexer {
  readonly number: number;
  readonly calls: ReadonlyMap<string, number>;
}

/** One architecture of a filter. */
export interface Arch {
  readonly name: ArchName;
  /** AUDIT_ARCH_*, what the kernel puts into `seccomp_data.arch`. */
  readonly token: number;
  /** Argument width that is compared; x32 passes 32 bits. */
  readonly bits: 32 | 64;
  readonly table: string;
  readonly multiplexers: readonly Multiplexer[];
}

const SOCKET_CALLS =
  "1 socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown " +
  "setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg";
const IPC_CALLS = "1 semop semget semctl semtimedop 11 msgsnd msgrcv msgget msgctl 21 shmat shmdt shmget shmctl";

const I386_MULTIPLEXERS: readonly Multiplexer[] = [
  { number: 102, calls: parseTable(SOCKET_CALLS) },
  { number: 117, calls: parseTable(IPC_CALLS) },
];

const TOKEN_X86_64 = 0xc000_003e;

/** Every architecture by name. */
export const ARCHES: Readonly<Record<ArchName, Arch>> = {
  x86_64: { name: "x86_64", token: TOKEN_X86_64, bits: 64, table: X86_64, multiplexers: [] },
  x86: { name: "x86", token: 0x4000_0003, bits: 32, table: X86, multiplexers: I386_MULTIPLEXERS },
  x32: { name: "x32", token: TOKEN_X86_64, bits: 32, table: X32, multiplexers: [] },
  aarch64: { name: "aarch64", token: 0xc000_00b7, bits: 64, table: AARCH64, multiplexers: [] },
  arm: { name: "arm", token: 0x4000_0028, bits: 32, table: ARM, multiplexers: [] },
};

/** Architectures a kernel of each kind can run; the others never occur in a filter there. */
export const NATIVE_FAMILIES: Readonly<Record<"x86_64" | "aarch64", readonly ArchName[]>> = {
  x86_64: ["x86_64", "x86", "x32"],
  aarch64: ["aarch64", "arm"],
};

/** Names by number out of a table's text: a number resets the count, a name takes it. */
export function parseTable(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of text.trim().split(/\s+/)) {
    if (word.charCodeAt(0) <= 0x39) next = Number(word);
    else numbers.set(word, next++);
  }
  return numbers;
}

const parsed = new Map<ArchName, ReadonlyMap<string, number>>();

/** Call numbers of an architecture (x32 without its bit), parsed at first use. */
export function syscallNumbers(arch: ArchName): ReadonlyMap<string, number> {
  const known = parsed.get(arch) ?? parseTable(ARCHES[arch].table);
  parsed.set(arch, known);
  return known;
}
