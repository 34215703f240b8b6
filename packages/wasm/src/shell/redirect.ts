// Redirections: the descriptors of one command (POSIX Shell Command Language 2.7).
import { ERRNO, fsError, toByteString } from "@lapstrake/base";
import { EMPTY_INPUT, NULL_OUTPUT, bytesInput } from "../io/buffers.ts";
import { openAt } from "../files/at.ts";
import { FDFLAG, FILE_RIGHTS } from "../p1/abi.ts";
import type { Descriptor } from "../p1/descriptors.ts";
import { joinPath } from "../process/programs.ts";
import { releaseDescriptor } from "../process/system.ts";
import { stream } from "../run/preopens.ts";
import { expandText } from "./expand.ts";
import type { ShellState } from "./state.ts";
import type { Redirect } from "./syntax.ts";

type Fds = (Descriptor | undefined)[];

/** Calls `body` with the descriptors that `redirects` make; what was opened is closed after it. */
export function withRedirects<T>(state: ShellState, redirects: readonly Redirect[], body: (fds: Fds) => T): T {
  const fds = [...state.fds];
  const opened: Descriptor[] = [];
  try {
    for (const redirect of redirects) apply(state, redirect, fds, opened);
    return body(fds);
  } finally {
    for (const descriptor of opened) releaseDescriptor(state.fs, descriptor);
  }
}

function apply(state: ShellState, { fd, op, target }: Redirect, fds: Fds, opened: Descriptor[]): void {
  const text = expandText(state, target);
  if (op === "<&" || op === ">&") {
    fds[fd] = text === "-" ? undefined : existing(fds, text);
    return;
  }
  const made = op === "<<" ? stream(bytesInput(new TextEncoder().encode(text)), undefined) : openFile(state, text, op);
  opened.push(made);
  fds[fd] = made;
}

function existing(fds: Fds, text: string): Descriptor {
  const descriptor = /^[0-9]$/.test(text) ? fds[Number(text)] : undefined;
  if (descriptor === undefined) throw fsError(ERRNO.EBADF);
  return descriptor;
}

function openFile(state: ShellState, text: string, op: "<" | ">" | ">>"): Descriptor {
  const path = joinPath(state.cwd, text);
  // Images seldom bring devices, and every shell program expects this one.
  if (path === "/dev/null") return op === "<" ? stream(EMPTY_INPUT, undefined) : stream(undefined, NULL_OUTPUT);
  const root = { ino: state.fs.root, reach: "filesystem" } as const;
  const opened = openAt(state.fs, root, toByteString(path.replace(/^\/+/, "")), {
    follow: true,
    create: op !== "<",
    exclusive: false,
    directory: false,
    truncate: op === ">",
    write: op !== "<",
  });
  if (opened.kind === "dir") {
    state.fs.close(opened.handle);
    throw fsError(ERRNO.EISDIR);
  }
  const flags = op === ">>" ? FDFLAG.append : 0;
  return {
    object: { kind: "file", ino: opened.ino, handle: opened.handle, position: 0, flags, refs: 1 },
    rights: FILE_RIGHTS,
    inheriting: 0,
    preopen: undefined,
    reach: "beneath",
  };
}
