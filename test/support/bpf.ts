// A classic BPF interpreter for seccomp filters: what the kernel would answer, without a kernel (linux/filter.h).
// It refuses what the kernel's checker refuses: jumps out of the program, unknown instructions, a missing return.

/** `struct seccomp_data` without its instruction pointer. */
export interface SeccompData {
  readonly nr: number;
  readonly arch: number;
  readonly args: readonly bigint[];
}

/** AUDIT_ARCH_* of linux/audit.h. */
export const AUDIT: Readonly<Record<"x86_64" | "x86" | "x32" | "aarch64" | "arm", number>> = {
  x86_64: 0xc000_003e,
  x86: 0x4000_0003,
  x32: 0xc000_003e,
  aarch64: 0xc000_00b7,
  arm: 0x4000_0028,
};

function words(data: SeccompData): Uint32Array {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, data.nr, true);
  view.setUint32(4, data.arch, true);
  data.args.forEach((arg, index) => view.setBigUint64(16 + index * 8, arg, true));
  return new Uint32Array(view.buffer);
}

/** The SECCOMP_RET_* value of a program for one call, and how many instructions it took. */
export function runFilter(program: Uint8Array, data: SeccompData): { readonly value: number; readonly steps: number } {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const memory = words(data);
  let a = 0;
  for (let pc = 0, steps = 1; pc * 8 < program.length; pc++, steps++) {
    const op = code.getUint16(pc * 8, true);
    const k = code.getUint32(pc * 8 + 4, true);
    const jump = (holds: boolean): number => code.getUint8(pc * 8 + (holds ? 2 : 3));
    if (op === 0x20) a = wordAt(memory, k);
    else if (op === 0x54) a = (a & k) >>> 0;
    else if (op === 0x05) pc += k;
    else if (op === 0x15) pc += jump(a === k);
    else if (op === 0x25) pc += jump(a > k);
    else if (op === 0x35) pc += jump(a >= k);
    else if (op === 0x45) pc += jump((a & k) !== 0);
    else if (op === 0x06) return { value: k, steps };
    else throw new Error(`instruction ${pc}: unknown code 0x${op.toString(16)}`);
  }
  throw new Error("the program ends without a return");
}

function wordAt(memory: Uint32Array, offset: number): number {
  if (offset % 4 !== 0 || offset >= 64) throw new Error(`load at ${offset}`);
  return memory[offset / 4]!;
}

/** `kill`, `errno 38`, `allow` … of a SECCOMP_RET_* value: what test failures show. */
export function verdict(value: number): string {
  const names: Readonly<Record<number, string>> = {
    0x0000: "kill-thread",
    0x8000: "kill-process",
    0x0003: "trap",
    0x7fc0: "notify",
    0x7ffc: "log",
    0x7fff: "allow",
  };
  const data = value & 0xffff;
  const action = value >>> 16;
  if (action === 0x0005) return `errno ${data}`;
  if (action === 0x7ff0) return `trace ${data}`;
  return names[action] ?? `0x${value.toString(16)}`;
}
