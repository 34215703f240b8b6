// Options of `sh` and `set`: letters with "-" or "+", "-o name", "--".
import type { ByteString } from "@lapstrake/base";
import { shellError, type ShellOptions, type ShellState } from "./state.ts";

const NAMED: Readonly<Record<string, keyof ShellOptions>> = { errexit: "e", noglob: "f", nounset: "u", xtrace: "x" };

/** Applies leading options; what is left, whether "--" ended them, and whether "-c" was among them (only for `sh`). */
export function setOptions(
  state: ShellState,
  args: readonly ByteString[],
  isCommandLine: boolean,
): { rest: readonly ByteString[]; ended: boolean; command: boolean } {
  let command = false;
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") return { rest: args.slice(at + 1), ended: true, command };
    if (!/^[-+]./.test(arg)) break;
    if (arg.slice(1) === "o") named(state, args[++at] ?? "", arg.startsWith("-"));
    else command = letters(state, arg, isCommandLine) || command;
  }
  return { rest: args.slice(at), ended: false, command };
}

function named(state: ShellState, name: ByteString, on: boolean): void {
  const letter = NAMED[name];
  if (letter === undefined || !Object.hasOwn(NAMED, name)) throw shellError(`set: unknown option "${name}"`);
  state.options[letter] = on;
}

/** True when "c" was among the letters. */
function letters(state: ShellState, arg: ByteString, isCommandLine: boolean): boolean {
  let command = false;
  for (const letter of arg.slice(1)) {
    if (letter === "c" && isCommandLine) command = true;
    else if (letter in state.options) state.options[letter as keyof ShellOptions] = arg.startsWith("-");
    else throw shellError(`set: unknown option "${arg[0]!}${letter}"`);
  }
  return command;
}
