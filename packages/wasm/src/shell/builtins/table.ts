// The builtins by name. Special ones (XCU 2.14) come before functions, keep the assignments before them, and their failed
// redirections end the shell.
import type { ByteString } from "@lapstrake/base";
import type { Shell } from "../shell.ts";
import { cd, pwd } from "./directory.ts";
import { breakLoop, command, continueLoop, evaluateWords, exec, exit, returnFrom, source } from "./flow.ts";
import { echo } from "./output.ts";
import { printf } from "./printf.ts";
import { read } from "./read.ts";
import { bracket, test } from "./test.ts";
import { exportVariables, local, makeReadOnly, set, shift, unset } from "./variables.ts";

export type Builtin = (shell: Shell, args: readonly ByteString[]) => number;

/** Every builtin. */
export const BUILTINS: Readonly<Record<string, Builtin>> = {
  ".": source,
  ":": () => 0,
  "[": bracket,
  break: breakLoop,
  cd,
  command,
  continue: continueLoop,
  echo,
  eval: evaluateWords,
  exec,
  exit,
  export: exportVariables,
  false: () => 1,
  local,
  printf,
  pwd,
  read,
  readonly: makeReadOnly,
  return: returnFrom,
  set,
  shift,
  test,
  true: () => 0,
  unset,
};

export const SPECIAL_BUILTINS: ReadonlySet<string> = new Set([
  ".",
  ":",
  "break",
  "continue",
  "eval",
  "exec",
  "exit",
  "export",
  "readonly",
  "return",
  "set",
  "shift",
  "unset",
]);
