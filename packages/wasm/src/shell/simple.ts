// Simple commands (XCU 2.9.1): expansion, redirection, assignment, then a function, a builtin or a program.
import type { ByteString } from "@lapstrake/base";
import type { Assignment, Command, SimpleCommand } from "./ast.ts";
import { writeText } from "./builtins/output.ts";
import { BUILTINS, SPECIAL_BUILTINS } from "./builtins/table.ts";
import { ShellExit, ShellReturn } from "./control.ts";
import { runProgram } from "./program.ts";
import { forgetFds, redirect, restoreFds, type SavedFds } from "./redirect.ts";
import { failureStatus, type Shell } from "./shell.ts";

/** Runs a simple command to its status. */
export function runSimple(shell: Shell, command: SimpleCommand): number {
  const { state, words } = shell;
  state.substituted = undefined;
  const args = words.args(command.words);
  const saved = shell.attempt(() => redirect(state, words, command.redirects));
  const special = SPECIAL_BUILTINS.has(args[0] ?? "");
  if (typeof saved === "number") {
    if (special) throw new ShellExit(saved);
    return saved;
  }
  let keeps = false;
  try {
    trace(shell, command, args);
    if (args.length === 0) return assignOnly(shell, command.assignments);
    keeps = args[0] === "exec" && args.length === 1;
    return withAssignments(shell, command.assignments, special, () => execute(shell, args));
  } finally {
    finishRedirects(shell, saved, keeps);
  }
}

function finishRedirects({ state }: Shell, saved: SavedFds, keeps: boolean): void {
  if (keeps) forgetFds(state, saved);
  else restoreFds(state, saved);
}

function trace(shell: Shell, command: SimpleCommand, args: readonly ByteString[]): void {
  if (!shell.state.options.x) return;
  const names = command.assignments.map(({ name }) => `${name}=…`);
  writeText(shell, 2, `+ ${[...names, ...args].join(" ")}\n`);
}

function assignOnly(shell: Shell, assignments: readonly Assignment[]): number {
  for (const { name, word } of assignments) shell.state.set(name, shell.words.value(word));
  return shell.state.substituted ?? 0;
}

/** Assignments before a command hold while it runs, and are its environment; before a special builtin they stay. */
function withAssignments(shell: Shell, assignments: readonly Assignment[], stay: boolean, run: () => number): number {
  const { state } = shell;
  const saved = assignments.map(({ name }) => [name, state.save(name)] as const);
  try {
    for (const { name, word } of assignments) {
      state.set(name, shell.words.value(word));
      if (!stay) state.mark(name, "exported");
    }
    return run();
  } finally {
    if (!stay) for (const [name, variable] of saved.reverse()) state.restore(name, variable);
  }
}

/** Runs argv in the order the standard gives: special builtins, functions, builtins, programs. */
export function execute(shell: Shell, args: readonly ByteString[], functions = true): number {
  const name = args[0]!;
  const body = functions && !SPECIAL_BUILTINS.has(name) ? shell.state.functions.get(name) : undefined;
  if (body !== undefined) return callFunction(shell, body, args.slice(1));
  const builtin = BUILTINS[name];
  if (builtin === undefined || !Object.hasOwn(BUILTINS, name)) return runProgram(shell, args);
  try {
    return builtin(shell, args.slice(1));
  } catch (error) {
    const { status, message } = failureStatus(error);
    shell.complain(`${name}: ${message}`);
    return status;
  }
}

function callFunction(shell: Shell, body: Command, args: readonly ByteString[]): number {
  const { state } = shell;
  const { params, loops } = state;
  state.params = args;
  state.loops = 0;
  state.frames += 1;
  state.enterFunction();
  try {
    return shell.nested().run(body);
  } catch (thrown) {
    if (thrown instanceof ShellReturn) return thrown.status;
    throw thrown;
  } finally {
    state.leaveFunction();
    state.frames -= 1;
    state.params = params;
    state.loops = loops;
  }
}
