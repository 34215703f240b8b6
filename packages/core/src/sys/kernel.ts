// The kernel's side of the system call port: libc's syscall(2) through koffi, texts in one arena.
import { koffi, type NativeFunction } from "./koffi.ts";
import { SYSCALLS, type SyscallName } from "./numbers.ts";
import type { SyscallArg, SyscallPort } from "./port.ts";

const ARENA_BYTES = 64 * 1024;
const E2BIG = 7;

class KernelSyscalls implements SyscallPort {
  readonly #ffi = koffi();
  readonly #syscall: NativeFunction;
  // A Buffer this size lives outside V8's heap: its address stays.
  readonly #arena: Buffer = Buffer.alloc(ARENA_BYTES);
  readonly #base: number;

  constructor() {
    this.#syscall = this.#ffi.load(null).func("long syscall(long n, long a, long b, long c, long d, long e, long f)");
    this.#base = Number(this.#ffi.address(this.#arena));
  }

  call(name: SyscallName, ...args: readonly SyscallArg[]): number {
    const words = [0, 0, 0, 0, 0, 0];
    let used = 0;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (typeof arg === "number") words[i] = arg;
      else if (typeof arg === "string") {
        if (used + arg.length + 1 > ARENA_BYTES || arg.includes("\0")) return -E2BIG;
        words[i] = this.#base + used;
        used += this.#arena.write(arg, used, "latin1");
        this.#arena[used++] = 0;
      } else words[i] = Number(this.#ffi.address(arg));
    }
    const ret = this.#syscall(SYSCALLS[name], words[0]!, words[1]!, words[2]!, words[3]!, words[4]!, words[5]!);
    return ret === -1 ? -this.#ffi.errno() : ret;
  }
}

let kernel: SyscallPort | undefined;

/** The kernel's port; loads koffi at first use. */
export function kernelSyscalls(): SyscallPort {
  kernel ??= new KernelSyscalls();
  return kernel;
}
