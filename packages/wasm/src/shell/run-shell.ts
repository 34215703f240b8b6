// The built-in shell as a process: `sh -c TEXT [NAME ARGUMENT…]`, `sh FILE [ARGUMENT…]`, or a program on stdin.
import { errorCode, toByteString } from "@lapstrake/base";
import { resolvePath } from "@lapstrake/layers";
import { joinPath, readFile } from "../process/programs.ts";
import type { ProcessSpec, System } from "../process/system.ts";
import { readAll, writeAll } from "../process/stdio.ts";
import { exitOf, type WasmExit } from "../run/exit.ts";
import { ExpansionError } from "./expand.ts";
import { parseScript } from "./parser.ts";
import { ShellExit, ShellState } from "./state.ts";
import { ShellSyntaxError } from "./syntax.ts";
import { runList } from "./execute.ts";

const MISUSE = 2;
const NOT_FOUND = 127;

/** Which process the shell is. */
export interface ShellProcess {
  readonly system: System;
  readonly pid: number;
  readonly spec: ProcessSpec;
}

interface Script {
  readonly text: string;
  readonly name: string;
  readonly positional: readonly string[];
  readonly exitOnError: boolean;
}

/** Runs to the end; `call` makes it interruptible, as for modules. */
export function runShell(process: ShellProcess, call?: (start: () => void) => void): WasmExit {
  let exit: WasmExit = { exitCode: 0, reason: "exit" };
  const start = (): void => {
    exit = { exitCode: interpret(process), reason: "exit" };
  };
  try {
    if (call === undefined) start();
    else call(start);
    return exit;
  } catch (thrown) {
    return exitOf(thrown, undefined);
  }
}

function interpret(process: ShellProcess): number {
  const script = scriptOf(process);
  if (typeof script === "number") return script;
  const { name, positional, exitOnError } = script;
  const state = new ShellState(process.system, process.pid, process.spec, name, positional);
  state.exitOnError = exitOnError;
  try {
    return runList(state, parseScript(script.text));
  } catch (error) {
    if (error instanceof ShellExit) return error.status;
    if (!(error instanceof ShellSyntaxError) && !(error instanceof ExpansionError)) throw error;
    complain(process, `${script.name}: ${error.message}`);
    return MISUSE;
  }
}

function scriptOf(process: ShellProcess): Script | number {
  const args = process.spec.args.slice(1);
  const flags: string[] = [];
  while (args[0]?.startsWith("-") === true && args[0] !== "-") flags.push(...args.shift()!.slice(1));
  const unknown = flags.find((flag) => !"ce".includes(flag));
  if (unknown !== undefined) return refuse(process, `sh: option -${unknown} is not supported`, MISUSE);
  const exitOnError = flags.includes("e");
  if (flags.includes("c")) {
    const text = args.shift();
    if (text === undefined) return refuse(process, "sh: -c needs an argument", MISUSE);
    return { text, name: args.shift() ?? "sh", positional: args, exitOnError };
  }
  const file = args.shift();
  if (file !== undefined) return fileScript(process, file, args, exitOnError);
  return { text: readAll(process.system.fs, process.spec.stdio[0]), name: "sh", positional: [], exitOnError };
}

function fileScript(
  process: ShellProcess,
  file: string,
  positional: readonly string[],
  exitOnError: boolean,
): Script | number {
  const { fs } = process.system;
  const found = resolvePath(fs, fs.root, toByteString(joinPath(process.spec.cwd, file)));
  if (typeof found === "number" || found.ino === 0) return refuse(process, `sh: ${file}: not found`, NOT_FOUND);
  try {
    return { text: new TextDecoder().decode(readFile(fs, found.ino)), name: file, positional, exitOnError };
  } catch (error) {
    return refuse(process, `sh: ${file}: ${errorCode(error) ?? "cannot read"}`, NOT_FOUND);
  }
}

function refuse(process: ShellProcess, message: string, status: number): number {
  complain(process, message);
  return status;
}

function complain(process: ShellProcess, message: string): void {
  writeAll(process.system.fs, process.spec.stdio[2], `${message}\n`);
}
