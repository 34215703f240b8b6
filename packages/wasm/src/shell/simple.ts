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
export async function runSimple(shell: Shell, command: SimpleCommand): Promise<number> {
  const { state, words } = shell;
  state.substituted = undefined;
  const args = await words.args(command.words);
  const saved = await shell.attempt(() => redirect(state, words, command.redirects));
  const special = SPECIAL_BUILTINS.has(args[0] ?? "");
  if (typeof saved === "number") {
    if (special) throw new ShellExit(saved);
    return saved;
  }
  let keeps = false;
  try {
    await trace(shell, command, args);
    if (args.length === 0) return await assignOnly(shell, command.assignments);
    keeps = args[0] === "exec" && args.length === 1;
    return await withAssignments(shell, command.assignments, special, () => execute(shell, args));
  } finally {
    finishRedirects(shell, saved, keeps);
  }
}

function finishRedirects({ state }: Shell, saved: SavedFds, keeps: boolean): void {
  if (keeps) forgetFds(state, saved);
  else restoreFds(state, saved);
}

async function trace(shell: Shell, command: SimpleCommand, args: readonly ByteString[]): Promise<void> {
  if (!shell.state.options.x) return;
  const names = command.assignments.map(({ name }) => `${name}=…`);
  await writeText(shell, 2, `+ ${[...names, ...args].join(" ")}\n`);
}

async function assignOnly(shell: Shell, assignments: readonly Assignment[]): Promise<number> {
  for (const { name, word } of assignments) shell.state.set(name, await shell.words.value(word));
  return shell.state.substituted ?? 0;
}

/** Assignments before a command hold while it runs, and are its environment; before a special builtin they stay. */
async function withAssignments(
  shell: Shell,
  assignments: readonly Assignment[],
  stay: boolean,
  run: () => Promise<number>,
): Promise<number> {
  const { state } = shell;
  const saved = assignments.map(({ name }) => [name, state.save(name)] as const);
  try {
    for (const { name, word } of assignments) {
      state.set(name, await shell.words.value(word));
      if (!stay) state.mark(name, "exported");
    }
    return await run();
  } finally {
    if (!stay) for (const [name, variable] of saved.reverse()) state.restore(name, variable);
  }
}

/** Runs argv in the order the standard gives: special builtins, functions, builtins, programs. */
export async function execute(shell: Shell, args: readonly ByteString[], functions = true): Promise<number> {
  const name = args[0]!;
  const body = functions && !SPECIAL_BUILTINS.has(name) ? shell.state.functions.get(name) : undefined;
  if (body !== undefined) return callFunction(shell, body, args.slice(1));
  const builtin = BUILTINS[name];
  if (builtin === undefined || !Object.hasOwn(BUILTINS, name)) return runProgram(shell, args);
  try {
    return await builtin(shell, args.slice(1));
  } catch (error) {
    const { status, message } = failureStatus(error);
    await shell.complain(`${name}: ${message}`);
    return status;
  }
}

async function callFunction(shell: Shell, body: Command, args: readonly ByteString[]): Promise<number> {
  const { state } = shell;
  const { params, loops } = state;
  state.params = args;
  state.loops = 0;
  state.frames += 1;
  state.enterFunction();
  try {
    return await shell.nested().run(body);
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
