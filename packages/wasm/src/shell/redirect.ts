// Redirections (XCU 2.7): the descriptor table changed for one command, or for good (`exec`).
import { LapError, errorCode, toBytes, type ByteString } from "@lapstrake/base";
import { OPEN } from "@lapstrake/layers";
import { EMPTY_INPUT, NULL_OUTPUT, bytesInput } from "../io/buffers.ts";
import type { OpenObject } from "../p1/descriptors.ts";
import { retain, streamObject } from "../processes/objects.ts";
import type { Redirect } from "./ast.ts";
import type { Expander } from "./expand.ts";
import { openPath } from "./paths.ts";
import type { ShellState } from "./state.ts";

/** A redirection that could not be made: the command does not run, its status is 2. */
export class RedirectError extends LapError {
  constructor(message: string) {
    super("failedPrecondition", "ERR_LAP_SHELL_REDIRECT", message);
  }
}

/** What the descriptors were before, to be put back. */
export type SavedFds = Map<number, OpenObject | undefined>;

/** Makes the redirections in order; on failure the earlier ones are undone. */
export function redirect(state: ShellState, words: Expander, redirects: readonly Redirect[]): SavedFds {
  const saved: SavedFds = new Map();
  try {
    for (const one of redirects) apply(state, words, one, saved);
  } catch (error) {
    restoreFds(state, saved);
    throw error;
  }
  return saved;
}

/** Puts back what `redirect` replaced. */
export function restoreFds(state: ShellState, saved: SavedFds): void {
  for (const [fd, object] of saved) {
    state.closeFd(fd);
    if (object !== undefined) state.setFd(fd, object);
  }
}

/** `exec` without a command: what was replaced is closed. */
export function forgetFds(state: ShellState, saved: SavedFds): void {
  for (const [fd, object] of saved) {
    const now = state.fds.get(fd);
    state.fds.delete(fd);
    if (object !== undefined) state.setFd(fd, object);
    state.closeFd(fd);
    if (now !== undefined) state.setFd(fd, now);
  }
}

function apply(state: ShellState, words: Expander, one: Redirect, saved: SavedFds): void {
  const object = target(state, words, one);
  const before = state.fds.get(one.fd);
  if (saved.has(one.fd)) state.closeFd(one.fd);
  else {
    saved.set(one.fd, before);
    state.fds.delete(one.fd);
  }
  if (object !== undefined) state.setFd(one.fd, object);
}

/** The object a descriptor is to become, with a reference for it; undefined closes it. */
function target(state: ShellState, words: Expander, one: Redirect): OpenObject | undefined {
  const text = words.value(one.word);
  if (one.kind === "heredoc") return streamObject(bytesInput(toBytes(text)), undefined);
  if (one.kind === "dup") return duplicate(state, text);
  return device(state, text) ?? open(state, text, one.kind);
}

function duplicate(state: ShellState, text: ByteString): OpenObject | undefined {
  if (text === "-") return undefined;
  const object = /^\d+$/.test(text) ? state.fds.get(Number(text)) : undefined;
  if (object === undefined) throw new RedirectError(`${text}: bad file descriptor`);
  return retain(object);
}

/** Device files of every container, whether the image has nodes for them or not. */
function device(state: ShellState, path: ByteString): OpenObject | undefined {
  if (path === "/dev/null") return streamObject(EMPTY_INPUT, NULL_OUTPUT);
  const fd = ["/dev/stdin", "/dev/stdout", "/dev/stderr"].indexOf(path);
  return fd < 0 ? undefined : duplicate(state, String(fd));
}

const FLAGS: Readonly<Record<string, number>> = {
  read: OPEN.read,
  write: OPEN.write | OPEN.truncate,
  append: OPEN.write | OPEN.append,
  readWrite: OPEN.read | OPEN.write,
};

function open(state: ShellState, path: ByteString, kind: Redirect["kind"]): OpenObject {
  try {
    return openPath(state.fs, state.cwd, path, FLAGS[kind]!, kind !== "read");
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw new RedirectError(`cannot ${kind === "read" ? "open" : "create"} ${path}: ${code}`);
  }
}
