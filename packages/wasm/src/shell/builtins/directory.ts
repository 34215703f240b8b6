// cd and pwd: the working directory is the path as the user walked it (-L).
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import { absolute, attributes, normalize } from "../paths.ts";
import type { Shell } from "../shell.ts";
import { shellError } from "../state.ts";
import { writeText } from "./output.ts";

/** `cd [-L] [directory|-]` */
export function cd(shell: Shell, args: readonly ByteString[]): number {
  const { state } = shell;
  const [wanted = state.get("HOME") ?? ""] = args[0] === "-L" || args[0] === "--" ? args.slice(1) : args;
  if (wanted.startsWith("-") && wanted !== "-") throw shellError(`cd: unknown option "${wanted}"`);
  const target = wanted === "-" ? (state.get("OLDPWD") ?? "") : wanted;
  if (target === "") return 0;
  const path = normalize(absolute(state.cwd, target));
  const found = attributes(state.fs, "/", path);
  if (found?.type !== "dir") throw fsError(found === undefined ? ERRNO.ENOENT : ERRNO.ENOTDIR);
  state.set("OLDPWD", state.cwd);
  state.set("PWD", path);
  state.cwd = path;
  if (wanted === "-") writeText(shell, 1, `${path}\n`);
  return 0;
}

/** `pwd` */
export function pwd(shell: Shell): number {
  writeText(shell, 1, `${shell.state.cwd}\n`);
  return 0;
}
