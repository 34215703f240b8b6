// The interpreter: walks the tree of a script in one execution environment; subshells are shells over a copied environment.
import { LapError, errorCode, fromBytes, toBytes, type ByteString } from "@lapstrake/base";
import { streamObject, pipeObjects, writeObject } from "../processes/objects.ts";
import type { OpenObject } from "../p1/descriptors.ts";
import { ProcRaise } from "../p1/process.ts";
import type { Command, Compound } from "./ast.ts";
import { LoopJump, SIGNAL_BASE, STATUS_MISUSE, STATUS_PIPE, ShellExit, ShellReturn } from "./control.ts";
import { Expander } from "./expand.ts";
import { compilePattern } from "./pattern.ts";
import { RedirectError, redirect, restoreFds } from "./redirect.ts";
import { runSimple } from "./simple.ts";
import { shellError, type ShellState } from "./state.ts";

/** Bytes a command substitution may give. */
const MAX_SUBSTITUTION_BYTES = 64 * 1024 * 1024;

/** Function calls and substitutions inside one another. */
const MAX_DEPTH = 200;

export class Shell {
  readonly state: ShellState;
  readonly words: Expander;
  /** Above 0 a failed command does not end the shell under `set -e`: conditions, and what "!" negates. */
  #tested: number;
  readonly #depth: number;

  constructor(state: ShellState, tested = 0, depth = 0) {
    this.state = state;
    this.words = new Expander(state, (body) => this.#substitute(body));
    this.#tested = tested;
    this.#depth = depth;
    if (depth > MAX_DEPTH) throw shellError("nested too deep");
  }

  /** Runs a whole script: exits and errors become its status, messages go to its stderr. */
  toEnd(script: Iterable<Command>): number {
    try {
      let status = 0;
      for (const command of script) status = this.run(command);
      return status;
    } catch (thrown) {
      if (thrown instanceof ShellExit || thrown instanceof ShellReturn) return thrown.status;
      if (thrown instanceof LoopJump) return 0;
      if (thrown instanceof ProcRaise) return SIGNAL_BASE + thrown.signal;
      if (!isShellError(thrown)) throw thrown;
      this.complain(thrown.message);
      return STATUS_MISUSE;
    }
  }

  /** Writes a message to stderr, behind the shell's name. */
  complain(message: string): void {
    const object = this.state.fds.get(2);
    if (object === undefined) return;
    writeObject(this.state.fs, object, toBytes(`${this.state.name}: ${message}\n`));
  }

  /** Runs one command; its status is also $?. */
  run(command: Command): number {
    this.state.port.check?.();
    const status = this.#dispatch(command);
    this.state.status = status;
    if (status !== 0 && this.state.options.e && this.#tested === 0 && canFail(command)) throw new ShellExit(status);
    return status;
  }

  #dispatch(command: Command): number {
    switch (command.kind) {
      case "simple":
        return runSimple(this, command);
      case "list":
        return this.#list(command.commands);
      case "and":
      case "or": {
        const left = this.condition(command.left);
        return (left === 0) === (command.kind === "and") ? this.run(command.right) : left;
      }
      case "pipeline":
        return this.#pipeline(command.commands, command.negate);
      case "function":
        this.state.functions.set(command.name, command.body);
        return 0;
      case "redirected":
        return this.#redirected(command.body, command.redirects);
    }
  }

  #list(commands: readonly Command[]): number {
    let status = 0;
    for (const command of commands) status = this.run(command);
    return status;
  }

  /** Runs what only asks: a failure does not end the shell. */
  condition(command: Command): number {
    this.#tested += 1;
    try {
      return this.run(command);
    } finally {
      this.#tested -= 1;
    }
  }

  #pipeline(commands: readonly Command[], negate: boolean): number {
    if (negate) this.#tested += 1;
    try {
      const status = commands.length === 1 ? this.run(commands[0]!) : this.#connected(commands);
      return negate ? Number(status === 0) : status;
    } finally {
      if (negate) this.#tested -= 1;
    }
  }

  /** One part after the other: what one writes waits in memory for the next. */
  #connected(commands: readonly Command[]): number {
    let input: OpenObject | undefined;
    let status = 0;
    for (const [index, command] of commands.entries()) {
      const pipe = index < commands.length - 1 ? pipeObjects() : undefined;
      status = this.#forked(command, input, pipe?.writer);
      input = pipe?.reader;
    }
    return status;
  }

  /** A subshell; the objects given become its descriptors 0 and 1. */
  #forked(body: Command, input?: OpenObject, output?: OpenObject): number {
    const state = this.state.clone();
    if (input !== undefined) state.setFd(0, input);
    if (output !== undefined) state.setFd(1, output);
    try {
      return new Shell(state, this.#tested, this.#depth + 1).toEnd([body]);
    } finally {
      state.closeAll();
    }
  }

  #substitute(body: Command): ByteString {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const write = (from: Uint8Array, offset: number, length: number): number => {
      bytes += length;
      if (bytes > MAX_SUBSTITUTION_BYTES) throw shellError("the output of a command substitution is too long");
      chunks.push(from.slice(offset, offset + length));
      return length;
    };
    this.state.substituted = this.#forked(body, undefined, streamObject(undefined, { kind: "pipe", write }));
    return chunks
      .map((chunk) => fromBytes(chunk))
      .join("")
      .replace(/\n+$/, "");
  }

  #redirected(body: Compound, redirects: Parameters<typeof redirect>[2]): number {
    if (redirects.length === 0) return this.#compound(body);
    const saved = this.attempt(() => redirect(this.state, this.words, redirects));
    if (typeof saved === "number") return saved;
    try {
      return this.#compound(body);
    } finally {
      restoreFds(this.state, saved);
    }
  }

  /** What `make` gives, or status 2 after the message of a failed redirection. */
  attempt<T>(make: () => T): T | number {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof RedirectError)) throw error;
      this.complain(error.message);
      return STATUS_MISUSE;
    }
  }

  #compound(body: Compound): number {
    switch (body.kind) {
      case "subshell":
        return this.#forked(body.body);
      case "group":
        return this.run(body.body);
      case "if":
        if (this.condition(body.test) === 0) return this.run(body.body);
        return body.otherwise === undefined ? 0 : this.run(body.otherwise);
      case "while":
        return this.#loop(() => (this.condition(body.test) === 0) !== body.until, body.body);
      case "for":
        return this.#for(body);
      case "case":
        return this.#case(body);
    }
  }

  #for({ name, words, body }: Compound & { kind: "for" }): number {
    const values = words === undefined ? [...this.state.params] : this.words.args(words);
    const next = (): boolean => {
      const value = values.shift();
      if (value !== undefined) this.state.set(name, value);
      return value !== undefined;
    };
    return this.#loop(next, body);
  }

  #loop(next: () => boolean, body: Command): number {
    let status = 0;
    this.state.loops += 1;
    try {
      for (;;) {
        const end = this.#turn(() => {
          if (!next()) return true;
          status = this.run(body);
          return false;
        });
        if (end) return status;
      }
    } finally {
      this.state.loops -= 1;
    }
  }

  /** One turn of a loop; true when it was the last. Jumps to outer loops pass on. */
  #turn(turn: () => boolean): boolean {
    try {
      return turn();
    } catch (thrown) {
      if (!(thrown instanceof LoopJump)) throw thrown;
      if (thrown.levels > 1) throw new LoopJump(thrown.kind, thrown.levels - 1);
      return thrown.kind === "break";
    }
  }

  #case({ word, arms }: Compound & { kind: "case" }): number {
    const value = this.words.value(word);
    for (const arm of arms) {
      for (const pattern of arm.patterns) {
        if (compilePattern(this.words.pattern(pattern)).test(value)) return this.run(arm.body);
      }
    }
    return 0;
  }

  /** Runs `body` one level deeper in this environment: functions, eval, sourced files. */
  nested(): Shell {
    return new Shell(this.state, this.#tested, this.#depth + 1);
  }
}

/** Commands whose own failure counts for `set -e`; the others fail by commands inside them, which counted already. */
function canFail(command: Command): boolean {
  if (command.kind === "pipeline") return !command.negate;
  return command.kind === "simple" || (command.kind === "redirected" && command.body.kind === "subshell");
}

/** Errors that a script can cause: they end it, not the host. */
function isShellError(thrown: unknown): thrown is LapError {
  return thrown instanceof LapError && thrown.code.startsWith("ERR_LAP_SHELL");
}

/** The status that a failed call of a builtin stands for: writing to nobody ends the shell as SIGPIPE would. */
export function failureStatus(error: unknown): { status: number; message: string } {
  const code = errorCode(error);
  if (code === "EPIPE") throw new ShellExit(STATUS_PIPE);
  if (code === undefined || error instanceof LapError) throw error;
  return { status: 1, message: code };
}
