// The system call port: one method, so that every use can be recorded and played back in unit tests without root.
import type { SyscallName } from "./numbers.ts";

/** A number, a C string (a ByteString, NUL-terminated by the port) or the address of bytes that live until the call returns. */
export type SyscallArg = number | string | Uint8Array;

/** Makes system calls; returns the kernel's value, negative errno on failure, and never throws for one. */
export interface SyscallPort {
  call(name: SyscallName, ...args: readonly SyscallArg[]): number;
}
