// Runs one preview1 command to its end in the thread that calls: descriptors, imports, instance, _start, exit.
import { toByteString } from "@lapstrake/base";
import type { InodeFs } from "@lapstrake/layers";
import { systemClock, type GuestClock } from "../io/clock.ts";
import { EMPTY_INPUT, NULL_OUTPUT, OutputLimit } from "../io/buffers.ts";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { DescriptorTable } from "../p1/descriptors.ts";
import type { Guest } from "../p1/guest.ts";
import { preview1Imports, PREVIEW1_MODULES, type HostFunction, type Preview1Module } from "../p1/imports.ts";
import { GuestMemory } from "../p1/memory.ts";
import { randomBytes } from "../p1/process.ts";
import { exitOf, type WasmExit } from "./exit.ts";
import { Interrupt } from "./interrupt.ts";
import { checkImports, exportedMemory, startFunction } from "./link.ts";
import { openPreopens, openStdio, preopensOf } from "./preopens.ts";
import { Wasm, type WasmModule } from "../webassembly.ts";

/** Bounds on one guest; absent means none, except open files. */
export interface WasmLimits {
  /** Linear memory, bytes, in whole pages of 64 KiB. */
  readonly memoryBytes?: number;
  /** Wall time of the run. */
  readonly timeoutMs?: number;
  /** stdout and stderr together. */
  readonly outputBytes?: number;
  /** Descriptors open at once, preopens included; default 1024. */
  readonly openFiles?: number;
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
}

const DEFAULT_OPEN_FILES = 1024;

/** Runs to the end; exits, traps and limits are values, unusable modules are thrown as LapError. */
export function runModule(run: ModuleRun): WasmExit {
  const used = checkImports(run.module);
  const guest = makeGuest(run);
  try {
    const instance = new Wasm.Instance(run.module, importsFor(guest, used));
    const memory = exportedMemory(instance);
    if (memory !== undefined) guest.memory.attach(memory);
    const start = startFunction(instance);
    if (run.guard === undefined) start();
    else run.guard(() => void start(), guest.interrupt);
    return { exitCode: 0, reason: "exit" };
  } catch (thrown) {
    return exitOf(thrown, run.limits?.timeoutMs);
  } finally {
    guest.fds.closeAll();
  }
}

function importsFor(guest: Guest, used: Iterable<Preview1Module>): Record<string, Record<string, HostFunction>> {
  const imports: Record<string, Record<string, HostFunction>> = {};
  for (const name of used) imports[name] = preview1Imports({ ...guest, layouts: PREVIEW1_MODULES[name] });
  return imports;
}

function makeGuest(run: ModuleRun): Guest {
  const fds = new DescriptorTable(run.fs, run.limits?.openFiles ?? DEFAULT_OPEN_FILES);
  const outputBytes = run.limits?.outputBytes;
  const limit = outputBytes === undefined ? undefined : new OutputLimit(outputBytes);
  const out = run.stdout ?? NULL_OUTPUT;
  const err = run.stderr ?? NULL_OUTPUT;
  openStdio(fds, run.stdin ?? EMPTY_INPUT, limit?.guard(out) ?? out, limit?.guard(err) ?? err);
  openPreopens(fds, run.fs, preopensOf(run));
  return {
    fs: run.fs,
    fds,
    memory: new GuestMemory(),
    args: run.args.map(toByteString),
    env: Object.entries(run.env ?? {}).map(([name, value]) => toByteString(`${name}=${value}`)),
    clock: run.clock ?? systemClock,
    interrupt: run.interrupt ?? new Interrupt(),
    layouts: PREVIEW1_MODULES.wasi_snapshot_preview1,
    random: randomBytes,
  };
}
