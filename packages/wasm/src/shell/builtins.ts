// The commands a shell has itself (POSIX Shell Command Language 2.14, and those every shell has built in).
import { testCommand } from "./test-command.ts";
import { LoopJump, ShellExit, type ShellState } from "./state.ts";

/** Runs another program in place of this command. */
type RunProgram = (args: readonly string[]) => number;
type Builtin = (state: ShellState, args: readonly string[], run: RunProgram) => number;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MISUSE = 2;

/** Builtins by name. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  [":", () => 0],
  ["true", () => 0],
  ["false", () => 1],
  ["cd", changeDirectory],
  ["pwd", (state) => (state.say(1, `${state.cwd}\n`), 0)],
  ["echo", echo],
  ["printf", printf],
  ["export", exportNames],
  ["unset", unset],
  ["set", setOptions],
  ["shift", shift],
  ["exit", (state, args) => leave(state, args)],
  ["exec", (state, args, run) => (args.length === 0 ? 0 : leave(state, [String(run(args))]))],
  ["break", () => jump("break")],
  ["continue", () => jump("continue")],
  ["test", (state, args) => testCommand(state, args)],
  ["[", (state, args) => bracket(state, args)],
]);

function jump(kind: "break" | "continue"): never {
  throw new LoopJump(kind);
}

function leave(state: ShellState, args: readonly string[]): never {
  throw new ShellExit(args[0] === undefined ? state.status : Number(args[0]) & 0xff);
}

function bracket(state: ShellState, args: readonly string[]): number {
  if (args.at(-1) === "]") return testCommand(state, args.slice(0, -1));
  state.complain("[: missing ]");
  return MISUSE;
}

function changeDirectory(state: ShellState, args: readonly string[]): number {
  const target = args[0] ?? state.get("HOME") ?? "/";
  if (state.changeDirectory(target)) return 0;
  state.complain(`cd: ${target}: not a directory`);
  return 1;
}

function echo(state: ShellState, args: readonly string[]): number {
  const bare = args[0] === "-n";
  state.say(1, args.slice(bare ? 1 : 0).join(" ") + (bare ? "" : "\n"));
  return 0;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "0": "\0" };

function printf(state: ShellState, args: readonly string[]): number {
  const [format, ...values] = args;
  if (format === undefined) {
    state.complain("printf: needs a format");
    return MISUSE;
  }
  const text = format.replaceAll(/\\([ntr\\0])/g, (_, letter: string) => ESCAPES[letter]!);
  let rest = values;
  do {
    const before = rest.length;
    state.say(
      1,
      text.replaceAll(/%[sd%]/g, (spec) => (spec === "%%" ? "%" : takeValue(spec))),
    );
    if (rest.length === before) break;
  } while (rest.length > 0);
  return 0;

  function takeValue(spec: string): string {
    const [value = "", ...others] = rest;
    rest = others;
    return spec === "%d" ? String(Math.trunc(Number(value)) || 0) : value;
  }
}

function exportNames(state: ShellState, args: readonly string[]): number {
  for (const arg of args) {
    const at = arg.indexOf("=");
    const name = at < 0 ? arg : arg.slice(0, at);
    if (!NAME.test(name)) {
      state.complain(`export: ${name}: bad variable name`);
      return MISUSE;
    }
    if (at >= 0) state.set(name, arg.slice(at + 1));
    state.exported.add(name);
  }
  return 0;
}

function unset(state: ShellState, args: readonly string[]): number {
  for (const name of args) {
    state.variables.delete(name);
    state.exported.delete(name);
  }
  return 0;
}

function setOptions(state: ShellState, args: readonly string[]): number {
  for (const [index, arg] of args.entries()) {
    if (arg === "-e") state.exitOnError = true;
    else if (arg === "+e") state.exitOnError = false;
    else if (arg === "--") {
      state.positional = args.slice(index + 1);
      return 0;
    } else {
      state.complain(`set: option ${arg} is not supported`);
      return MISUSE;
    }
  }
  return 0;
}

function shift(state: ShellState, args: readonly string[]): number {
  const count = Number(args[0] ?? "1");
  if (count > state.positional.length) return 1;
  state.positional = state.positional.slice(count);
  return 0;
}
