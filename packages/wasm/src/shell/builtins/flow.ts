// Builtins that jump or run something: exit, return, break, continue, eval, ".", exec, command.
import { fromBytes, type ByteString } from "@lapstrake/base";
import { LoopJump, ShellExit, ShellReturn } from "../control.ts";
import { parseScript } from "../parser.ts";
import { attributes, mustResolve, readWhole } from "../paths.ts";
import { findProgram, runProgram } from "../program.ts";
import type { Shell } from "../shell.ts";
import { execute } from "../simple.ts";
import { shellError, type ShellState } from "../state.ts";
import { writeText } from "./output.ts";
import { BUILTINS } from "./table.ts";

function statusOf(builtin: string, shell: Shell, args: readonly ByteString[]): number {
  const [text] = args;
  if (text === undefined) return shell.state.status;
  if (!/^\d+$/.test(text)) throw shellError(`${builtin}: illegal number: ${text}`);
  return Number(text) & 0xff;
}

/** `exit [status]` */
export function exit(shell: Shell, args: readonly ByteString[]): number {
  throw new ShellExit(statusOf("exit", shell, args));
}

/** `return [status]`; outside functions and sourced files it ends the shell. */
export function returnFrom(shell: Shell, args: readonly ByteString[]): number {
  const status = statusOf("return", shell, args);
  throw shell.state.frames > 0 ? new ShellReturn(status) : new ShellExit(status);
}

function jump(kind: "break" | "continue", shell: Shell, args: readonly ByteString[]): number {
  const levels = Number(args[0] ?? "1");
  if (!Number.isInteger(levels) || levels < 1) throw shellError(`${kind}: illegal number: ${args[0]!}`);
  if (shell.state.loops === 0) return 0;
  throw new LoopJump(kind, Math.min(levels, shell.state.loops));
}

/** `break [n]` */
export function breakLoop(shell: Shell, args: readonly ByteString[]): number {
  return jump("break", shell, args);
}

/** `continue [n]` */
export function continueLoop(shell: Shell, args: readonly ByteString[]): number {
  return jump("continue", shell, args);
}

/** `eval word…` */
export function evaluateWords(shell: Shell, args: readonly ByteString[]): number {
  const text = args.join(" ");
  return /^\s*$/.test(text) ? 0 : shell.nested().run(parseScript(text));
}

/** `. file`: runs a file in this environment. */
export function source(shell: Shell, args: readonly ByteString[]): number {
  const { state } = shell;
  const [file] = args;
  if (file === undefined) throw shellError(".: filename argument required");
  const body = parseScript(fromBytes(readWhole(state.fs, mustResolve(state.fs, "/", sourceFile(state, file)))));
  state.frames += 1;
  try {
    return shell.nested().run(body);
  } catch (thrown) {
    if (thrown instanceof ShellReturn) return thrown.status;
    throw thrown;
  } finally {
    state.frames -= 1;
  }
}

/** Without a slash the file is looked for in PATH; it need not be executable. A missing one ends the shell. */
function sourceFile(state: ShellState, file: ByteString): ByteString {
  const found = findProgram(state, file);
  if (found !== undefined && attributes(state.fs, "/", found.path)?.type === "file") return found.path;
  throw shellError(`.: cannot open ${file}: No such file`);
}

/** `exec [program…]`: the program takes the shell's place; without one, redirections stay. */
export function exec(shell: Shell, args: readonly ByteString[]): number {
  if (args.length === 0) return 0;
  throw new ShellExit(runProgram(shell, args));
}

/** `command name…` skips functions; `command -v name` says what the name is. */
export function command(shell: Shell, args: readonly ByteString[]): number {
  if (args[0] === "-v") return describe(shell, args[1] ?? "");
  return args.length === 0 ? 0 : execute(shell, args, false);
}

function describe(shell: Shell, name: ByteString): number {
  const known = shell.state.functions.has(name) || Object.hasOwn(BUILTINS, name);
  const found = known ? undefined : findProgram(shell.state, name);
  if (!known && found?.executable !== true) return 127;
  writeText(shell, 1, `${found?.path ?? name}\n`);
  return 0;
}
