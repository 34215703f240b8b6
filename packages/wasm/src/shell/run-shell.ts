// The shell as a program: what `sh` does with its arguments. Start reading here, then parser.ts and shell.ts.
import { LapError, errorCode, fromBytes, toBytes, type ByteString } from "@lapstrake/base";
import type { OpenObject } from "../p1/descriptors.ts";
import { retain, writeObject } from "../processes/objects.ts";
import type { Command } from "./ast.ts";
import { STATUS_MISUSE, STATUS_NOT_FOUND } from "./control.ts";
import { scriptCommands } from "./parser.ts";
import { mustResolve, readWhole } from "./paths.ts";
import type { ShellPort } from "./port.ts";
import { importEnvironment } from "./program.ts";
import { setOptions } from "./options.ts";
import { Shell } from "./shell.ts";
import { ShellState, shellError } from "./state.ts";

/** One run of the shell; strings are ByteStrings. */
export interface ShellRun {
  readonly port: ShellPort;
  /** `["sh", "-c", script, name?, …args]` or `["sh", file, …args]`, with options of `set` before. */
  readonly argv: readonly ByteString[];
  readonly env: readonly ByteString[];
  readonly cwd: ByteString;
  /** Lent for the run. */
  readonly fds: ReadonlyMap<number, OpenObject>;
}

/** Runs a script to its end: its exit status. Reading scripts from stdin is not supported: ERR_LAP_SHELL. */
export function runShell(run: ShellRun): number {
  const state = new ShellState(run.port, run.argv[0] ?? "sh", [], run.cwd);
  importEnvironment(state, run.env);
  state.set("PWD", run.cwd);
  for (const [fd, object] of run.fds) state.setFd(fd, retain(object));
  try {
    const body = start(state, run.argv.slice(1));
    return new Shell(state).toEnd(body);
  } catch (error) {
    return refused(state, error);
  } finally {
    state.closeAll();
  }
}

function start(state: ShellState, args: readonly ByteString[]): Iterable<Command> {
  const { rest, command } = setOptions(state, args, true);
  const [first, ...others] = rest;
  if (first === undefined) throw shellError("no script: use -c, or name a file of the image");
  const [name, ...params] = command ? others : rest;
  state.name = name ?? state.name;
  state.params = params;
  return scriptCommands(command ? first : fromBytes(readWhole(state.fs, mustResolve(state.fs, state.cwd, first))));
}

function refused(state: ShellState, error: unknown): number {
  const ours = error instanceof LapError && error.code.startsWith("ERR_LAP_SHELL");
  if (!ours && errorCode(error) !== "ENOENT") throw error;
  const stderr = state.fds.get(2);
  const message = ours ? error.message : `${state.name}: cannot open the script`;
  if (stderr !== undefined) writeObject(state.fs, stderr, toBytes(`${message}\n`));
  return ours ? STATUS_MISUSE : STATUS_NOT_FOUND;
}
