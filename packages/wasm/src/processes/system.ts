// The processes of one container: one filesystem, one set of limits. A child runs to its end inside the call that starts or first
// needs it, in the same thread; so a pipeline's parts run one after the other, and the filesystem needs no locks.
import { ERRNO, fsError, isLapError, toByteString } from "@lapstrake/base";
import type { InodeFs } from "@lapstrake/layers";
import type { GuestClock } from "../io/clock.ts";
import { DescriptorTable, type Descriptor, type OpenObject } from "../p1/descriptors.ts";
import type { Guest } from "../p1/guest.ts";
import { preview1Imports, PREVIEW1_MODULES, type HostFunction } from "../p1/imports.ts";
import { GuestMemory } from "../p1/memory.ts";
import { randomBytes } from "../p1/process.ts";
import { exitOf, type WasmExit } from "../run/exit.ts";
import { Interrupted, type Interrupt } from "../run/interrupt.ts";
import { WASIX_MODULE, checkImports, exportedMemory, startFunction } from "../run/link.ts";
import { openPreopens, wholeFilesystem, type PreopenDir } from "../run/preopens.ts";
import type { ModuleRun, WasmLimits } from "../run/run-module.ts";
import { Wasm, type WasmModule } from "../webassembly.ts";
import { wrappedCommand } from "../component/bypass.ts";
import { compileModule } from "../run/compile.ts";
import { inputOf, outputOf } from "./objects.ts";
import { DEFAULT_PATH, Programs, type Program } from "./programs.ts";
import { runShellProcess } from "./shell-process.ts";
import { wasixImports } from "./wasix.ts";

const DEFAULT_OPEN_FILES = 1024;
const DEFAULT_PROCESSES = 256;

/** Stdin, stdout, stderr. */
export type Stdio = readonly [Descriptor, Descriptor, Descriptor];

/** What a process is given. */
export interface ProcessSpec {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Stay open: the process gets references of its own. */
  readonly stdio: Stdio;
  readonly parent: number;
}

/** A child; `exit` is there once it ran. */
export interface Child {
  readonly pid: number;
  readonly parent: number;
  readonly exit: WasmExit | undefined;
  /** Runs it when it has not run yet. */
  run(): WasmExit;
}

export interface SystemOptions {
  readonly fs: InodeFs;
  readonly clock: GuestClock;
  readonly interrupt: Interrupt;
  readonly limits: WasmLimits;
  readonly components?: ComponentRunner | undefined;
}

/** Runs a component that is more than a wrapped module to its end, in this call. */
export type ComponentRunner = (
  run: Omit<ModuleRun, "module"> & { readonly component: Uint8Array<ArrayBuffer> },
) => WasmExit;

export class System {
  readonly fs: InodeFs;
  readonly interrupt: Interrupt;
  readonly #options: SystemOptions;
  readonly #programs: Programs;
  readonly #children = new Map<number, Child>();
  #lastPid = 1;

  constructor(options: SystemOptions) {
    this.fs = options.fs;
    this.interrupt = options.interrupt;
    this.#options = options;
    this.#programs = new Programs(options.fs, options.limits.memoryBytes);
  }

  /** Runs a program by name to its end; throws the filesystem's error when it cannot be started. */
  runProgram(spec: ProcessSpec, pid = 1, call?: (start: () => void) => void): WasmExit {
    const program = this.#programs.locate(spec.args[0] ?? "", spec.cwd, spec.env["PATH"] ?? DEFAULT_PATH);
    return this.#execute(program, spec, pid, call);
  }

  #execute(program: Program, spec: ProcessSpec, pid: number, call?: (start: () => void) => void): WasmExit {
    if (program.kind === "shell") return this.#shell(program.script, spec, pid, call);
    if (program.kind === "module") return this.runModule(program.module, spec, { pid, call });
    const command = wrappedCommand(program.bytes);
    if (command === undefined) return this.#component(program.bytes, spec, call);
    return this.runModule(compileModule(command, this.#options.limits.memoryBytes), spec, { pid, call });
  }

  /** One that is more than a wrapped module; ENOEXEC where only modules run. */
  #component(component: Uint8Array<ArrayBuffer>, spec: ProcessSpec, call?: (start: () => void) => void): WasmExit {
    const { components, limits, clock } = this.#options;
    if (components === undefined) throw fsError(ERRNO.ENOEXEC);
    // Output is counted where the container's streams are.
    const { outputBytes: _counted, ...own } = limits;
    const [stdin, stdout, stderr] = spec.stdio.map(({ object }) => object) as [OpenObject, OpenObject, OpenObject];
    return components({
      fs: this.fs,
      component,
      args: spec.args,
      env: spec.env,
      cwd: spec.cwd,
      stdin: inputOf(this.fs, stdin),
      stdout: outputOf(this.fs, stdout),
      stderr: outputOf(this.fs, stderr),
      interrupt: this.interrupt,
      clock,
      limits: own,
      ...(call === undefined ? {} : { guard: call }),
    });
  }

  #shell(script: string | undefined, spec: ProcessSpec, pid: number, call?: (start: () => void) => void): WasmExit {
    const args = script === undefined ? spec.args : ["sh", script, ...spec.args.slice(1)];
    let exit: WasmExit = { exitCode: 0, reason: "exit" };
    const start = (): void => {
      exit = runShellProcess({ system: this, pid, spec: { ...spec, args } });
    };
    try {
      if (call === undefined) start();
      else call(start);
      return exit;
    } catch (thrown) {
      return exitOf(thrown, this.#options.limits.timeoutMs);
    }
  }

  /** Runs a compiled module to its end. Exits and traps are values; limits and interrupts of a child end its parents too. */
  runModule(
    module: WasmModule,
    spec: ProcessSpec,
    how: {
      readonly pid: number;
      readonly call?: ((start: () => void) => void) | undefined;
      readonly preopens?: readonly PreopenDir[];
    },
  ): WasmExit {
    const used = checkImports(module);
    const fds = this.#descriptors(spec, how.preopens);
    const guest = this.#guest(spec, fds);
    try {
      const imports: Record<string, Record<string, HostFunction>> = {};
      for (const name of used) {
        imports[name] =
          name === WASIX_MODULE
            ? wasixImports(guest, { system: this, pid: how.pid, spec })
            : preview1Imports({ ...guest, layouts: PREVIEW1_MODULES[name] });
      }
      const instance = new Wasm.Instance(module, imports);
      const memory = exportedMemory(instance);
      if (memory !== undefined) guest.memory.attach(memory);
      const start = startFunction(instance);
      if (how.call === undefined) start();
      else how.call(() => void start());
      return { exitCode: 0, reason: "exit" };
    } catch (thrown) {
      return exitOf(thrown, this.#options.limits.timeoutMs);
    } finally {
      fds.closeAll();
    }
  }

  #descriptors(spec: ProcessSpec, preopens: readonly PreopenDir[] | undefined): DescriptorTable {
    const fds = new DescriptorTable(this.fs, this.#options.limits.openFiles ?? DEFAULT_OPEN_FILES);
    for (const descriptor of spec.stdio) fds.add(shareDescriptor(descriptor));
    openPreopens(fds, this.fs, preopens ?? wholeFilesystem(this.fs, spec.cwd));
    return fds;
  }

  #guest(spec: ProcessSpec, fds: DescriptorTable): Guest {
    return {
      fs: this.fs,
      fds,
      memory: new GuestMemory(),
      args: spec.args.map(toByteString),
      env: Object.entries(spec.env).map(([name, value]) => toByteString(`${name}=${value}`)),
      clock: this.#options.clock,
      interrupt: this.interrupt,
      layouts: PREVIEW1_MODULES.wasi_snapshot_preview1,
      random: randomBytes,
    };
  }

  /** A child that runs when it is joined, or when `onDemand` calls it. EAGAIN when there are too many. */
  spawn(spec: ProcessSpec): Child {
    if (this.#children.size >= (this.#options.limits.processes ?? DEFAULT_PROCESSES)) throw fsError(ERRNO.EAGAIN);
    const program = this.#programs.locate(spec.args[0] ?? "", spec.cwd, spec.env["PATH"] ?? DEFAULT_PATH);
    this.#lastPid += 1;
    const pid = this.#lastPid;
    const held = { ...spec, stdio: spec.stdio.map(shareDescriptor) as unknown as Stdio };
    let exit: WasmExit | undefined;
    const run = (): WasmExit => {
      exit ??= this.#runChild(program, held, pid);
      return exit;
    };
    const child: Child = {
      pid,
      parent: spec.parent,
      get exit() {
        return exit;
      },
      run,
    };
    this.#children.set(pid, child);
    return child;
  }

  #runChild(program: Program, spec: ProcessSpec, pid: number): WasmExit {
    const exit = this.#execute(program, spec, pid);
    for (const descriptor of spec.stdio) releaseDescriptor(this.fs, descriptor);
    endsParents(exit);
    return exit;
  }

  /** Waits for a child, or for any; undefined when there is none. */
  join(parent: number, pid: number | undefined): Child | undefined {
    const mine = [...this.#children.values()].filter((child) => child.parent === parent);
    const child = pid === undefined ? mine[0] : mine.find((candidate) => candidate.pid === pid);
    if (child === undefined) return undefined;
    child.run();
    this.#children.delete(child.pid);
    return child;
  }
}

/** What stopped a child from outside stops everything: time, output, a signal to the container. */
function endsParents(exit: WasmExit): void {
  if (exit.interrupt !== undefined) throw new Interrupted(exit.interrupt);
  if (exit.reason === "limit" && isLapError(exit.error)) throw exit.error;
}

/** Another reference to what a descriptor refers to. */
export function shareDescriptor(descriptor: Descriptor): Descriptor {
  descriptor.object.refs += 1;
  return { ...descriptor };
}

/** One reference less, outside of any table. */
export function releaseDescriptor(fs: InodeFs, descriptor: Descriptor): void {
  const table = new DescriptorTable(fs, 1);
  table.close(table.add(descriptor));
}
