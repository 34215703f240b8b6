// How a guest ended, and the exit code that says so: the codes are those of a Linux container that ended the same way.
import { LapError } from "@lapstrake/base";
import { Wasm } from "../webassembly.ts";
import { ProcExit, ProcRaise } from "../p1/process.ts";
import { Interrupted, REASON } from "./interrupt.ts";

/** The end of a run. */
export interface WasmExit {
  /** 0..255; traps and limits have codes of their own, see {@link EXIT}. */
  readonly exitCode: number;
  /** `exit`: returned or proc_exit. `trap`: the program is broken. `limit`: `error` says which. `signal`: ended from outside. */
  readonly reason: "exit" | "trap" | "limit" | "signal";
  /** For `trap` and `limit`. */
  readonly error?: LapError;
  /** Set when the end came from outside the program: what was raised, see {@link REASON}. */
  readonly interrupt?: number;
  /** For `signal`: its Linux number. */
  readonly signal?: number;
}

const SIGNAL_BASE = 128;

/** Exit codes of ends that are no exit: 128 + the signal a Linux program would get. */
export const EXIT = {
  /** unreachable, a failed cast, abort(): SIGABRT. */
  abort: 134,
  /** Division by zero, overflow: SIGFPE. */
  arithmetic: 136,
  /** Ended from outside without a signal number: SIGKILL. */
  killed: 137,
  /** Access outside the memory or the table, exhausted stack: SIGSEGV. */
  memory: 139,
  /** More output than allowed: SIGXFSZ. */
  output: 153,
  /** Processor time: SIGXCPU. */
  cpu: 152,
  /** Time limit: what timeout(1) answers. */
  timeout: 124,
} as const;

/** The exit that what a guest's call threw stands for; defects of ours are thrown again. */
export function exitOf(thrown: unknown, timeoutMs: number | undefined): WasmExit {
  if (thrown instanceof ProcExit) return { exitCode: thrown.code, reason: "exit" };
  if (thrown instanceof ProcRaise)
    return { exitCode: SIGNAL_BASE + thrown.signal, reason: "signal", signal: thrown.signal };
  if (thrown instanceof Interrupted) return interruptedExit(thrown.reason, timeoutMs);
  if (thrown instanceof Wasm.RuntimeError) return trapExit(thrown);
  if (thrown instanceof RangeError && thrown.message.includes("call stack"))
    return trap(EXIT.memory, "stack overflow", thrown);
  if (isLimit(thrown))
    return {
      exitCode: thrown.code === "ERR_LAP_WASM_OUTPUT" ? EXIT.output : EXIT.killed,
      reason: "limit",
      error: thrown,
    };
  throw thrown;
}

/** The end that a raised interrupt stands for. */
export function interruptedExit(reason: number, timeoutMs: number | undefined): WasmExit {
  if (reason === REASON.timeout)
    return { exitCode: EXIT.timeout, reason: "limit", error: timeoutError(timeoutMs ?? 0), interrupt: reason };
  if (reason === REASON.cpu) return { exitCode: EXIT.cpu, reason: "limit", error: cpuError(), interrupt: reason };
  const signal = reason > REASON.signal ? reason - REASON.signal : 9;
  return { exitCode: SIGNAL_BASE + signal, reason: "signal", signal, interrupt: reason };
}

function cpuError(): LapError {
  return new LapError("resourceExhausted", "ERR_LAP_WASM_CPU", "the guest used more processor time than allowed", {
    hint: "raise limits.cpuMs",
    detail: { limit: "cpuMs" },
  });
}

function timeoutError(timeoutMs: number): LapError {
  return new LapError("deadlineExceeded", "ERR_LAP_WASM_TIMEOUT", `the guest ran longer than ${timeoutMs} ms`, {
    hint: "raise limits.timeoutMs",
    detail: { limit: "timeoutMs", value: timeoutMs },
  });
}

function isLimit(thrown: unknown): thrown is LapError {
  return thrown instanceof LapError && thrown.kind === "resourceExhausted";
}

const TRAP_CODES: readonly (readonly [RegExp, number])[] = [
  [/divide|division|remainder|unrepresentable|overflow/, EXIT.arithmetic],
  [/out of bounds|null/, EXIT.memory],
];

function trapExit(error: Error): WasmExit {
  const code = TRAP_CODES.find(([pattern]) => pattern.test(error.message))?.[1] ?? EXIT.abort;
  return trap(code, error.message, error);
}

function trap(exitCode: number, message: string, cause: Error): WasmExit {
  const error = new LapError("failedPrecondition", "ERR_LAP_WASM_TRAP", `the guest trapped: ${message}`, { cause });
  return { exitCode, reason: "trap", error };
}
