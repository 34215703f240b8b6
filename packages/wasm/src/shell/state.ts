// What a shell knows while it runs: variables, parameters, working directory, descriptors. A subshell is a copy.
import { errorCode, toByteString } from "@lapstrake/base";
import { resolvePath, type InodeFs } from "@lapstrake/layers";
import type { Descriptor } from "../p1/descriptors.ts";
import { MemoryPipe } from "../process/pipe.ts";
import { joinPath } from "../process/programs.ts";
import { readAll, writeAll } from "../process/stdio.ts";
import { releaseDescriptor, type ProcessSpec, type System } from "../process/system.ts";
import { stream } from "../run/preopens.ts";
import { runList } from "./execute.ts";
import type { Expander } from "./expand.ts";
import type { List } from "./syntax.ts";

/** `exit`, and what ends a shell with `-e`. */
export class ShellExit extends Error {
  readonly status: number;
  constructor(status: number) {
    super("exit");
    this.status = status;
  }
}

/** `break` and `continue`. */
export class LoopJump extends Error {
  readonly kind: "break" | "continue";
  constructor(kind: "break" | "continue") {
    super(kind);
    this.kind = kind;
  }
}

export class ShellState implements Expander {
  readonly system: System;
  readonly pid: number;
  readonly name: string;
  positional: string[];
  cwd: string;
  status = 0;
  exitOnError = false;
  /** Conditions are being tested: their failure is no reason to end. */
  testing = 0;
  /** 0, 1, 2, …; holes are closed. */
  fds: (Descriptor | undefined)[];
  readonly variables: Map<string, string>;
  readonly exported: Set<string>;

  constructor(system: System, pid: number, spec: ProcessSpec, name: string, positional: readonly string[]) {
    this.system = system;
    this.pid = pid;
    this.name = name;
    this.positional = [...positional];
    this.cwd = spec.cwd;
    this.fds = [...spec.stdio];
    this.variables = new Map(Object.entries(spec.env));
    this.exported = new Set(Object.keys(spec.env));
  }

  get fs(): InodeFs {
    return this.system.fs;
  }

  get(name: string): string | undefined {
    if (name === "?") return String(this.status);
    if (name === "#") return String(this.positional.length);
    if (name === "$") return String(this.pid);
    if (name === "0") return this.name;
    return /^[1-9]$/.test(name) ? this.positional[Number(name) - 1] : this.variables.get(name);
  }

  set(name: string, value: string): void {
    this.variables.set(name, value);
  }

  /** The environment of commands, with assignments in front of one. */
  environment(extra: ReadonlyMap<string, string>): Record<string, string> {
    const exported = [...this.variables].filter(([name]) => this.exported.has(name));
    return { ...Object.fromEntries(exported), ...Object.fromEntries(extra), PWD: this.cwd };
  }

  /** A subshell: changes stay inside. */
  copy(): ShellState {
    const spec = { args: [], env: {}, cwd: this.cwd, stdio: [] as unknown as ProcessSpec["stdio"], parent: 0 };
    const copy = new ShellState(this.system, this.pid, spec, this.name, this.positional);
    for (const [name, value] of this.variables) copy.variables.set(name, value);
    for (const name of this.exported) copy.exported.add(name);
    copy.fds = [...this.fds];
    return Object.assign(copy, { status: this.status, exitOnError: this.exitOnError, testing: this.testing });
  }

  /** Status of a subshell; its exit is its own. */
  runSubshell(list: List, fds: readonly (Descriptor | undefined)[]): number {
    const inner = this.copy();
    inner.fds = [...fds];
    try {
      return runList(inner, list);
    } catch (error) {
      if (error instanceof ShellExit) return error.status;
      throw error;
    }
  }

  capture(list: List): string {
    const pipe = new MemoryPipe();
    const writes = stream(undefined, pipe.output);
    this.status = this.runSubshell(list, [this.fds[0], writes, this.fds[2], ...this.fds.slice(3)]);
    releaseDescriptor(this.fs, writes);
    return readAll(this.fs, stream(pipe.input, undefined)).replace(/\n+$/, "");
  }

  /** Changes the working directory; false when there is none of that name. */
  changeDirectory(path: string): boolean {
    const target = normalize(joinPath(this.cwd, path));
    const found = resolvePath(this.fs, this.fs.root, toByteString(target));
    if (typeof found === "number" || found.ino === 0 || this.fs.getattr(found.ino).type !== "dir") return false;
    this.cwd = target;
    return true;
  }

  say(fd: 1 | 2, text: string): void {
    const descriptor = this.fds[fd];
    if (descriptor !== undefined) writeAll(this.fs, descriptor, text);
  }

  /** A line on stderr, named after the shell. */
  complain(message: string): void {
    this.say(2, `${this.name}: ${message}\n`);
  }
}

/** cd's logical path: "." and ".." are taken out of the text. */
function normalize(path: string): string {
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return `/${out.join("/")}`;
}

/** The reason in a failed call's error, for messages. */
export function reasonOf(error: unknown): string | undefined {
  const texts: Readonly<Record<string, string>> = {
    ENOENT: "not found",
    EACCES: "permission denied",
    ENOEXEC: "not a WebAssembly program",
    EISDIR: "is a directory",
    ENOTDIR: "not a directory",
    EROFS: "read-only filesystem",
    EAGAIN: "too many processes",
    ENOSPC: "no space left",
  };
  const code = errorCode(error);
  return code === undefined ? undefined : (texts[code] ?? code);
}
