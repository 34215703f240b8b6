// The execution environment of a shell (XCU 2.12): variables, parameters, functions, descriptors, options. Subshells get a copy.
import { ERRNO, LapError, fsError, type ByteString } from "@lapstrake/base";
import type { InodeFs } from "@lapstrake/layers";
import { release, type OpenObject } from "../p1/descriptors.ts";
import { retain } from "../processes/objects.ts";
import type { Command } from "./ast.ts";
import type { ShellPort } from "./port.ts";

interface Variable {
  readonly value: ByteString | undefined;
  readonly exported: boolean;
  readonly readOnly: boolean;
}

/** The options of `set` that the shell knows. */
export interface ShellOptions {
  /** -e: end after a command that failed. */
  e: boolean;
  /** -f: no pathname expansion. */
  f: boolean;
  /** -u: unset variables are errors. */
  u: boolean;
  /** -x: print commands. */
  x: boolean;
}

/** An error that ends the shell with a message: special builtins, readonly variables, `${x?}`. */
export function shellError(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SHELL", message);
}

export class ShellState {
  readonly port: ShellPort;
  readonly options: ShellOptions;
  readonly functions: Map<string, Command>;
  readonly fds: Map<number, OpenObject>;
  readonly #variables: Map<string, Variable>;
  /** Saved values of `local` variables, one map per running function. */
  readonly #locals: Map<string, Variable | undefined>[] = [];
  /** $0. */
  name: ByteString;
  /** $1 … */
  params: readonly ByteString[];
  cwd: ByteString;
  /** $? */
  status = 0;
  /** Status of the last command substitution of the running command. */
  substituted: number | undefined;
  loops = 0;
  /** Functions and sourced files: where `return` is allowed. */
  frames = 0;

  constructor(port: ShellPort, name: ByteString, params: readonly ByteString[], cwd: ByteString) {
    this.port = port;
    this.name = name;
    this.params = params;
    this.cwd = cwd;
    this.options = { e: false, f: false, u: false, x: false };
    this.functions = new Map();
    this.fds = new Map();
    this.#variables = new Map();
  }

  get fs(): InodeFs {
    return this.port.fs;
  }

  /** A subshell's environment: a copy that shares the open objects. Close it with {@link closeAll}. */
  clone(): ShellState {
    const copy = new ShellState(this.port, this.name, this.params, this.cwd);
    Object.assign(copy.options, this.options);
    for (const [name, body] of this.functions) copy.functions.set(name, body);
    for (const [name, variable] of this.#variables) copy.#variables.set(name, variable);
    for (const [fd, object] of this.fds) copy.fds.set(fd, retain(object));
    copy.status = this.status;
    copy.loops = this.loops;
    copy.frames = this.frames;
    for (const saved of this.#locals) copy.#locals.push(new Map(saved));
    return copy;
  }

  closeAll(): void {
    for (const fd of this.fds.keys()) this.closeFd(fd);
  }

  fd(fd: number): OpenObject {
    const object = this.fds.get(fd);
    if (object === undefined) throw fsError(ERRNO.EBADF);
    return object;
  }

  /** Puts an object at a descriptor; its reference is now the state's. */
  setFd(fd: number, object: OpenObject): void {
    this.closeFd(fd);
    this.fds.set(fd, object);
  }

  closeFd(fd: number): void {
    const object = this.fds.get(fd);
    this.fds.delete(fd);
    if (object !== undefined) release(this.fs, object);
  }

  get(name: string): ByteString | undefined {
    return this.#variables.get(name)?.value;
  }

  set(name: string, value: ByteString): void {
    const before = this.#variables.get(name);
    if (before?.readOnly === true) throw shellError(`${name}: is read only`);
    this.#variables.set(name, { value, exported: before?.exported ?? false, readOnly: false });
  }

  unset(name: string): void {
    if (this.#variables.get(name)?.readOnly === true) throw shellError(`${name}: is read only`);
    this.#variables.delete(name);
  }

  mark(name: string, what: "exported" | "readOnly"): void {
    const before = this.#variables.get(name) ?? { value: undefined, exported: false, readOnly: false };
    this.#variables.set(name, { ...before, [what]: true });
  }

  /** Name and value of every variable that is set, sorted by name. */
  variables(): [string, ByteString][] {
    const set = [...this.#variables].flatMap(([name, { value }]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    return set.map(([name, value]): [string, ByteString] => [name, value]).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The environment of programs. */
  environment(): ByteString[] {
    return [...this.#variables].flatMap(([name, variable]) =>
      variable.exported && variable.value !== undefined ? [`${name}=${variable.value}`] : [],
    );
  }

  enterFunction(): void {
    this.#locals.push(new Map());
  }

  leaveFunction(): void {
    for (const [name, variable] of this.#locals.pop() ?? []) this.restore(name, variable);
  }

  /** Makes a variable local to the running function; it keeps its value. */
  local(name: string): void {
    const saved = this.#locals.at(-1);
    if (saved === undefined) throw shellError("local: not in a function");
    if (!saved.has(name)) saved.set(name, this.#variables.get(name));
  }

  /** The variable as it is now, for {@link restore}. */
  save(name: string): Variable | undefined {
    return this.#variables.get(name);
  }

  restore(name: string, variable: Variable | undefined): void {
    if (variable === undefined) this.#variables.delete(name);
    else this.#variables.set(name, variable);
  }
}
