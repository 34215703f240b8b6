// Builtins about variables and parameters: export, readonly, unset, local, set, shift.
import type { ByteString } from "@lapstrake/base";
import { setOptions } from "../options.ts";
import type { Shell } from "../shell.ts";
import { shellError, type ShellState } from "../state.ts";
import { writeText } from "./output.ts";

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Splits `name=value`; checks the name. */
function parse(builtin: string, arg: ByteString): { name: string; value: ByteString | undefined } {
  const at = arg.indexOf("=");
  const name = at < 0 ? arg : arg.slice(0, at);
  if (!NAME.test(name)) throw shellError(`${builtin}: ${name}: bad variable name`);
  return { name, value: at < 0 ? undefined : arg.slice(at + 1) };
}

function quote(value: ByteString): ByteString {
  return `'${value.replaceAll("'", `'"'"'`)}'`;
}

function marker(builtin: string, what: "exported" | "readOnly"): (shell: Shell, args: readonly ByteString[]) => number {
  return (shell, args) => {
    const { state } = shell;
    if (args.length === 0 || args[0] === "-p") {
      const shown = state.variables().filter(([name]) => state.save(name)?.[what] === true);
      writeText(shell, 1, shown.map(([name, value]) => `${builtin} ${name}=${quote(value)}\n`).join(""));
      return 0;
    }
    for (const arg of args) {
      const { name, value } = parse(builtin, arg);
      if (value !== undefined) state.set(name, value);
      state.mark(name, what);
    }
    return 0;
  };
}

/** `export [-p] [name[=value]…]` */
export const exportVariables: (shell: Shell, args: readonly ByteString[]) => number = marker("export", "exported");

/** `readonly [-p] [name[=value]…]` */
export const makeReadOnly: (shell: Shell, args: readonly ByteString[]) => number = marker("readonly", "readOnly");

/** `unset [-v|-f] name…` */
export function unset({ state }: Shell, args: readonly ByteString[]): number {
  const functions = args[0] === "-f";
  for (const name of /^-[vf]$/.test(args[0] ?? "") ? args.slice(1) : args) {
    if (!NAME.test(name)) throw shellError(`unset: ${name}: bad variable name`);
    if (functions) state.functions.delete(name);
    else state.unset(name);
  }
  return 0;
}

/** `local name[=value]…` */
export function local({ state }: Shell, args: readonly ByteString[]): number {
  for (const arg of args) {
    const { name, value } = parse("local", arg);
    state.local(name);
    if (value !== undefined) state.set(name, value);
  }
  return 0;
}

/** `set [options] [--] [parameter…]` */
export function set(shell: Shell, args: readonly ByteString[]): number {
  if (args.length === 0) {
    writeText(shell, 1, listing(shell.state));
    return 0;
  }
  const { rest, ended } = setOptions(shell.state, args, false);
  if (ended || rest.length > 0) shell.state.params = rest;
  return 0;
}

function listing(state: ShellState): ByteString {
  return state
    .variables()
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join("");
}

/** `shift [n]` */
export function shift({ state }: Shell, args: readonly ByteString[]): number {
  const count = Number(args[0] ?? "1");
  if (!Number.isInteger(count) || count < 0) throw shellError(`shift: illegal number: ${args[0]!}`);
  if (count > state.params.length) throw shellError("shift: can't shift that many");
  state.params = state.params.slice(count);
  return 0;
}
