// Running the tree: lists, pipelines, compound commands, simple commands (POSIX Shell Command Language 2.9).
import { errorCode } from "@lapstrake/base";
import { EMPTY_INPUT, NULL_OUTPUT } from "../io/buffers.ts";
import type { Descriptor } from "../p1/descriptors.ts";
import { MemoryPipe } from "../process/pipe.ts";
import { releaseDescriptor, type Stdio } from "../process/system.ts";
import { stream } from "../run/preopens.ts";
import { BUILTINS } from "./builtins.ts";
import { expandText, expandWords } from "./expand.ts";
import { withRedirects } from "./redirect.ts";
import { LoopJump, ShellExit, reasonOf, type ShellState } from "./state.ts";
import type { Command, List, Pipeline } from "./syntax.ts";

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Status of a list: that of the last pipeline that ran. */
export function runList(state: ShellState, list: List): number {
  for (const [index, { when, pipeline }] of list.entries()) {
    if (when === "success" && state.status !== 0) continue;
    if (when === "failure" && state.status === 0) continue;
    if (when === "always" && index > 0) state.system.interrupt.check();
    // Only the last part of an and-or list may end a shell with -e.
    const tested = pipeline.negated || (list[index + 1] !== undefined && list[index + 1]!.when !== "always");
    state.status = tested ? untested(state, () => runPipeline(state, pipeline)) : runPipeline(state, pipeline);
    if (state.status !== 0 && state.exitOnError && !tested && state.testing === 0) throw new ShellExit(state.status);
  }
  return state.status;
}

function untested<T>(state: ShellState, body: () => T): T {
  state.testing += 1;
  try {
    return body();
  } finally {
    state.testing -= 1;
  }
}

function runPipeline(state: ShellState, { negated, commands }: Pipeline): number {
  const status = commands.length === 1 ? runCommand(state, commands[0]!) : runPiped(state, commands);
  return negated ? (status === 0 ? 1 : 0) : status;
}

/** One part after the other; what one writes waits in memory for the next. */
function runPiped(state: ShellState, commands: readonly Command[]): number {
  let input = state.fds[0];
  let status = 0;
  for (const [index, command] of commands.entries()) {
    const pipe = index < commands.length - 1 ? new MemoryPipe() : undefined;
    const output = pipe === undefined ? state.fds[1] : stream(undefined, pipe.output);
    const inner = state.copy();
    inner.fds = [input, output, ...state.fds.slice(2)];
    status = exitStatus(() => runCommand(inner, command));
    if (pipe !== undefined) releaseDescriptor(state.fs, output!);
    input = pipe === undefined ? undefined : stream(pipe.input, undefined);
  }
  return status;
}

function exitStatus(body: () => number): number {
  try {
    return body();
  } catch (error) {
    if (error instanceof ShellExit) return error.status;
    throw error;
  }
}

function runCommand(state: ShellState, command: Command): number {
  try {
    return withRedirects(state, command.redirects, (fds) => runWith(state, command, fds));
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    state.complain(reason);
    return 1;
  }
}

function runWith(state: ShellState, command: Command, fds: (Descriptor | undefined)[]): number {
  if (command.kind === "simple") return runSimple(state, command, fds);
  if (command.kind === "subshell") return state.runSubshell(command.list, fds);
  const outer = state.fds;
  state.fds = fds;
  try {
    return runCompound(state, command);
  } finally {
    state.fds = outer;
  }
}

function runCompound(state: ShellState, command: Exclude<Command, { kind: "simple" | "subshell" }>): number {
  if (command.kind === "group") return runList(state, command.list);
  if (command.kind === "if") return runIf(state, command);
  if (command.kind === "for") return runFor(state, command);
  return runWhile(state, command);
}

function runIf(state: ShellState, { branches, otherwise }: Extract<Command, { kind: "if" }>): number {
  for (const { condition, body } of branches) {
    if (untested(state, () => runList(state, condition)) === 0) return runList(fresh(state), body);
  }
  return otherwise === undefined ? 0 : runList(fresh(state), otherwise);
}

/** A body starts as after success. */
function fresh(state: ShellState): ShellState {
  state.status = 0;
  return state;
}

function runFor(state: ShellState, { name, words, body }: Extract<Command, { kind: "for" }>): number {
  const values = words === undefined ? [...state.positional] : expandWords(state, words);
  let status = 0;
  for (const value of values) {
    state.set(name, value);
    const done = runBody(state, body);
    if (done === undefined) break;
    status = done;
  }
  return status;
}

function runWhile(state: ShellState, { until, condition, body }: Extract<Command, { kind: "while" }>): number {
  let status = 0;
  for (;;) {
    state.system.interrupt.check();
    const holds = untested(state, () => runList(fresh(state), condition)) === 0;
    if (holds === until) return status;
    const done = runBody(state, body);
    if (done === undefined) return 0;
    status = done;
  }
}

/** Undefined after `break`. */
function runBody(state: ShellState, body: List): number | undefined {
  try {
    return runList(fresh(state), body);
  } catch (error) {
    if (!(error instanceof LoopJump)) throw error;
    return error.kind === "break" ? undefined : 0;
  }
}

function runSimple(
  state: ShellState,
  command: Extract<Command, { kind: "simple" }>,
  fds: (Descriptor | undefined)[],
): number {
  state.status = 0;
  const words = expandWords(state, command.words);
  const assigned = new Map(command.assignments.map(({ name, value }) => [name, expandText(state, value)]));
  const [name] = words;
  if (name === undefined) {
    for (const [variable, value] of assigned) state.set(variable, value);
    return state.status;
  }
  const builtin = BUILTINS.get(name);
  if (builtin === undefined) return runProgram(state, words, assigned, fds);
  const outer = state.fds;
  state.fds = fds;
  try {
    return builtin(state, words.slice(1), (args) => runProgram(state, args, assigned, fds));
  } finally {
    state.fds = outer;
  }
}

function runProgram(
  state: ShellState,
  args: readonly string[],
  assigned: ReadonlyMap<string, string>,
  fds: readonly (Descriptor | undefined)[],
): number {
  const closedInput = stream(EMPTY_INPUT, undefined);
  const closedOutput = stream(undefined, NULL_OUTPUT);
  const stdio: Stdio = [fds[0] ?? closedInput, fds[1] ?? closedOutput, fds[2] ?? closedOutput];
  try {
    const env = state.environment(assigned);
    const child = state.system.spawn({ args, env, cwd: state.cwd, stdio, parent: state.pid });
    const { exit } = state.system.join(state.pid, child.pid) ?? child;
    if (exit?.error !== undefined) state.complain(`${args[0]}: ${exit.error.message}`);
    return exit?.exitCode ?? NOT_FOUND;
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === undefined) throw error;
    state.complain(`${args[0]}: ${reason}`);
    return errorCode(error) === "ENOENT" ? NOT_FOUND : NOT_EXECUTABLE;
  }
}
