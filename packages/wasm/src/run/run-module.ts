// One run in the thread that calls: the container of a guest (filesystem, limits, stdio), and its first process.
import type { InodeFs } from "@lapstrake/layers";
import { EMPTY_INPUT, NULL_OUTPUT, OutputLimit } from "../io/buffers.ts";
import { systemClock, type GuestClock } from "../io/clock.ts";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { System, type ComponentRunner, type ProcessSpec, type Stdio } from "../processes/system.ts";
import type { WasmModule } from "../webassembly.ts";
import type { WasmExit } from "./exit.ts";
import { Interrupt } from "./interrupt.ts";
import { preopensOf, stream } from "./preopens.ts";

/** Bounds on one guest; absent means none, except open files. */
export interface WasmLimits {
  /** Linear memory, bytes, in whole pages of 64 KiB. */
  readonly memoryBytes?: number;
  /** Wall time of the run. */
  readonly timeoutMs?: number;
  /** Processor time of the run; only in a worker, on Node 24 or later. What the guest changed is lost when it is reached. */
  readonly cpuMs?: number;
  /** stdout and stderr together. */
  readonly outputBytes?: number;
  /** Descriptors open at once in each process, preopens included; default 1024. */
  readonly openFiles?: number;
  /** Children that were not joined yet; default 256. */
  readonly processes?: number;
}

/** One run. */
export interface ModuleRun {
  readonly fs: InodeFs;
  readonly module: WasmModule;
  /** argv, the program's own name first. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Absolute path of an existing directory; default "/". */
  readonly cwd?: string;
  /** Guest names and absolute paths of directories, instead of the whole filesystem as "/"; `cwd` is then not used. */
  readonly preopens?: Readonly<Record<string, string>>;
  readonly stdin?: GuestInput;
  readonly stdout?: GuestOutput;
  readonly stderr?: GuestOutput;
  readonly interrupt?: Interrupt;
  readonly clock?: GuestClock;
  readonly limits?: WasmLimits;
  /** Calls the guest's entry point so that it can be broken off; default: just calls it, and `timeoutMs` is not watched. */
  readonly guard?: ((call: () => void, interrupt: Interrupt) => void) | undefined;
  /** Runs programs that are components; default: only those that wrap a module run. */
  readonly components?: ComponentRunner | undefined;
}

/** Runs to the end; exits, traps and limits are values, unusable modules are thrown as LapError. */
export function runModule(run: ModuleRun): WasmExit {
  const { system, spec, call } = containerOf(run);
  return system.runModule(run.module, spec, { pid: 1, call, preopens: preopensOf(run) });
}

/** Runs the program that `args[0]` names, along PATH; throws the filesystem's error when there is none. */
export function runNamed(run: Omit<ModuleRun, "module" | "preopens">): WasmExit {
  const { system, spec, call } = containerOf(run);
  return system.runProgram(spec, 1, call);
}

interface Container {
  readonly system: System;
  readonly spec: ProcessSpec;
  readonly call: ((start: () => void) => void) | undefined;
}

function containerOf(run: Omit<ModuleRun, "module">): Container {
  const interrupt = run.interrupt ?? new Interrupt();
  const { guard } = run;
  return {
    system: new System({
      fs: run.fs,
      clock: run.clock ?? systemClock,
      interrupt,
      limits: run.limits ?? {},
      components: run.components,
    }),
    spec: { args: run.args, env: run.env ?? {}, cwd: run.cwd ?? "/", stdio: stdioOf(run), parent: 0 },
    call: guard === undefined ? undefined : (start) => guard(start, interrupt),
  };
}

function stdioOf(run: Omit<ModuleRun, "module">): Stdio {
  const outputBytes = run.limits?.outputBytes;
  const limit = outputBytes === undefined ? undefined : new OutputLimit(outputBytes);
  const out = run.stdout ?? NULL_OUTPUT;
  const err = run.stderr ?? NULL_OUTPUT;
  return [
    stream(run.stdin ?? EMPTY_INPUT, undefined),
    stream(undefined, limit?.guard(out) ?? out),
    stream(undefined, limit?.guard(err) ?? err),
  ];
}
