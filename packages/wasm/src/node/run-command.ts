// Runs a program file of any kind to its end: modules at once, components by their own host (loaded only then).
import { LapError, errorCode, toByteString } from "@lapstrake/base";
import { resolvePath, type InodeFs } from "@lapstrake/layers";
import type { SocketNet } from "../sockets/port.ts";
import type { HttpSend } from "../http/exchange.ts";
import { compileModule } from "../run/compile.ts";
import { detectWasm, mustDetectWasm } from "../run/detect.ts";
import type { WasmExit } from "../run/exit.ts";
import { DEFAULT_PATH, Programs, readFile } from "../processes/programs.ts";
import type { ComponentRunner } from "../processes/system.ts";
import { runModule, runNamed, type ModuleRun } from "../run/run-module.ts";
import { guarded } from "./guard.ts";
import type { Serving } from "./run-handler.ts";

/** One run of a program file. */
export interface CommandRun extends Omit<ModuleRun, "module" | "guard"> {
  /** The file's bytes: a module, a component, or either as text. Absent: what `args[0]` names, along PATH, a script or the built-in `sh`. */
  readonly program?: Uint8Array<ArrayBuffer> | undefined;
  /** Folder where translations of components are kept; none are kept without it. */
  readonly cacheDir?: string | undefined;
  /** Sends HTTP requests of components, usually by `policySend`; without it every request is refused. */
  readonly http?: HttpSend | undefined;
  /** The network of a component's sockets, usually by `policySockets`; without it there are none. */
  readonly sockets?: SocketNet | undefined;
  /** SIGINT of this process ends the guest. */
  readonly breakOnSigint?: boolean;
  /** What to do with a component that answers HTTP requests: absent, it is no program. One that is a command too serves when ports are named. */
  readonly serving?: Serving | undefined;
}

/** Runs to the end; `PWD` is set for guests that look at it. Components and text load their own host only then. */
export async function runCommand(run: CommandRun): Promise<WasmExit> {
  const common = { ...run, env: { PWD: run.cwd ?? "/", ...run.env }, guard: guardOf(run) };
  const program = await (run.program === undefined ? whatIsNamed(run) : binaryOf(run.program, run.args[0]));
  if (program === "module") return named(common);
  // What a script starts may be anything.
  if (program === "script")
    return named({ ...common, components: run.components ?? (await loadComponents(run.cacheDir)) });
  if (detectWasm(program) === "component") {
    if (await serves(program, run.serving)) {
      const { runHandler } = await import("./run-handler.ts");
      return runHandler({ ...common, component: program }, run.serving!);
    }
    const { runComponent } = await import("../component/run-component.ts");
    return runComponent({ ...common, component: program });
  }
  return runModule({ ...common, module: compileModule(program, run.limits?.memoryBytes) });
}

/** What lets programs that are components be started inside a call of another. */
export async function loadComponents(cacheDir: string | undefined): Promise<ComponentRunner> {
  const { runComponentNow } = await import("../component/run-now.ts");
  return (run) => runComponentNow({ ...run, cacheDir });
}

async function serves(component: Uint8Array, serving: Serving | undefined): Promise<boolean> {
  if (serving === undefined) return false;
  const { answersHttp, isCommand } = await import("../component/kind.ts");
  return answersHttp(component) && (serving.ports.length > 0 || !isCommand(component));
}

/** The same at once, for what needs no wait: what `args[0]` names, if it is a module, a script or the built-in `sh`. */
export function runCommandNow(run: Omit<ModuleRun, "module">): WasmExit {
  return named({ ...run, env: { PWD: run.cwd ?? "/", ...run.env } });
}

/** Runs what `args[0]` names. */
function named(run: Omit<ModuleRun, "module">): WasmExit {
  return saying(run.args[0] ?? "", () => runNamed(run));
}

/** A name that stands for nothing, or for no program, is an error that says so. */
function saying<T>(name: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") throw programMissing(name);
    if (code === "EACCES") throw notAProgram(name);
    if (code === "ENOEXEC") mustDetectWasm(new Uint8Array(0), `"${name}"`);
    throw error;
  }
}

/** What `args[0]` names: a component or text, as binary, a module, or a script; also when there is only the built-in shell, or nothing. */
async function whatIsNamed({ fs, args, cwd, env }: CommandRun): Promise<Uint8Array<ArrayBuffer> | "module" | "script"> {
  const name = args[0] ?? "";
  const programs = new Programs(fs, undefined);
  const ino = saying(name, () => programs.find(name, cwd ?? "/", env?.["PATH"] ?? DEFAULT_PATH));
  if (ino === undefined) return "script";
  const bytes = readFile(fs, ino);
  const kind = detectWasm(bytes);
  return kind === "component" || kind === "wat" ? binaryOf(bytes, name) : kind === undefined ? "script" : kind;
}

/** The file that `name` stands for along PATH; undefined when there is none. */
export function programBytes(
  fs: InodeFs,
  name: string,
  cwd: string,
  path: string = DEFAULT_PATH,
): Uint8Array<ArrayBuffer> | undefined {
  const ino = new Programs(fs, undefined).find(name, cwd, path);
  return ino === undefined ? undefined : readFile(fs, ino);
}

async function binaryOf(program: Uint8Array<ArrayBuffer>, name: string | undefined): Promise<Uint8Array<ArrayBuffer>> {
  if (mustDetectWasm(program, name) !== "wat") return program;
  const { parseWat } = await import("../component/jco.ts");
  return parseWat(new TextDecoder().decode(program));
}

function guardOf({ limits, breakOnSigint }: CommandRun): ModuleRun["guard"] {
  const timeoutMs = limits?.timeoutMs;
  if (timeoutMs === undefined && breakOnSigint !== true) return undefined;
  return (call, interrupt) =>
    guarded(call, interrupt, {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(breakOnSigint === true ? { breakOnSigint } : {}),
    });
}

/** The bytes of a program at an absolute path of the filesystem, links followed. */
export function readProgram(fs: InodeFs, path: string): Uint8Array<ArrayBuffer> {
  const found = resolvePath(fs, fs.root, toByteString(path));
  if (typeof found === "number" || found.ino === 0) throw programMissing(path);
  if (fs.getattr(found.ino).type !== "file") throw notAProgram(path);
  return readFile(fs, found.ino);
}

function programMissing(path: string): LapError {
  return new LapError("notFound", "ERR_LAP_WASM_NOT_FOUND", `program "${path}" does not exist in the filesystem`, {
    hint: "name a .wasm file of the image, by path or along PATH",
  });
}

function notAProgram(path: string): LapError {
  return new LapError("permissionDenied", "ERR_LAP_WASM_NOT_A_FILE", `program "${path}" is not a regular file`);
}
