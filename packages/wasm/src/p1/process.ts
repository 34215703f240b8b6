// What a guest knows of itself and how it ends: args, environment, clocks, random bytes, exit.
import type { ByteString } from "@lapstrake/base";
import { CLOCK, WASI } from "./abi.ts";
import type { Guest, HostFunctions } from "./guest.ts";
import type { GuestMemory } from "./memory.ts";

/** Thrown by proc_exit through the guest's frames: its end, not an error. */
export class ProcExit extends Error {
  readonly code: number;
  constructor(code: number) {
    super("the guest exited");
    this.code = code;
  }
}

/** Thrown by proc_raise: the guest ends as if by that signal. */
export class ProcRaise extends Error {
  readonly signal: number;
  constructor(signal: number) {
    super("the guest raised a signal");
    this.signal = signal;
  }
}

/** WASI's signals are numbered as Linux's; 0 and those past SIGSYS are none. */
const LAST_SIGNAL = 31;
/** What clock_res_get tells: performance.now() gives microseconds at best. */
const RESOLUTION_NS = 1000n;

/** Host calls about the process. */
export function processCalls(guest: Guest): HostFunctions {
  const { memory, clock } = guest;
  return {
    args_get: (pointers: number, buffer: number): number => strings(memory, guest.args, pointers, buffer),
    args_sizes_get: (count: number, bytes: number): number => sizes(memory, guest.args, count, bytes),
    environ_get: (pointers: number, buffer: number): number => strings(memory, guest.env, pointers, buffer),
    environ_sizes_get: (count: number, bytes: number): number => sizes(memory, guest.env, count, bytes),
    clock_res_get(id: number, result: number): number {
      if (id >>> 0 > CLOCK.threadCpu) return WASI.EINVAL;
      memory.setU64(result, RESOLUTION_NS);
      return WASI.SUCCESS;
    },
    clock_time_get(id: number, _precision: bigint, result: number): number {
      if (id >>> 0 > CLOCK.threadCpu) return WASI.EINVAL;
      memory.setU64(
        result,
        id === CLOCK.realtime ? clock.realtimeNs() : id === CLOCK.monotonic ? clock.monotonicNs() : clock.cpuNs(),
      );
      return WASI.SUCCESS;
    },
    random_get(at: number, length: number): number {
      guest.random(memory.range(at, length));
      return WASI.SUCCESS;
    },
    sched_yield(): number {
      guest.interrupt.check();
      return WASI.SUCCESS;
    },
    proc_exit(code: number): number {
      throw new ProcExit(code & 0xff);
    },
    proc_raise(signal: number): number {
      if (signal < 1 || signal > LAST_SIGNAL) return WASI.EINVAL;
      throw new ProcRaise(signal);
    },
  };
}

/** getRandomValues takes 64 KiB at a time, and no shared memory. */
export function randomBytes(into: Uint8Array): void {
  const chunk = new Uint8Array(Math.min(into.length, 65_536));
  for (let at = 0; at < into.length; at += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, into.length - at));
    crypto.getRandomValues(part);
    into.set(part, at);
  }
}

function sizes(memory: GuestMemory, list: readonly ByteString[], count: number, bytes: number): number {
  memory.setU32(count, list.length);
  memory.setU32(
    bytes,
    list.reduce((sum, text) => sum + text.length + 1, 0),
  );
  return WASI.SUCCESS;
}

/** An array of pointers, and the NUL-terminated strings they point to. */
function strings(memory: GuestMemory, list: readonly ByteString[], pointers: number, buffer: number): number {
  let at = buffer >>> 0;
  for (const [index, text] of list.entries()) {
    memory.setU32(pointers + 4 * index, at);
    const into = memory.range(at, text.length + 1);
    for (let i = 0; i < text.length; i++) into[i] = text.charCodeAt(i);
    into[text.length] = 0;
    at += text.length + 1;
  }
  return WASI.SUCCESS;
}
