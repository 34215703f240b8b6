// What the shell needs from outside: the filesystem and someone who runs programs. The engine, the Wasm process table
// (processes/) and the tests each hand in their own.
import type { ByteString } from "@lapstrake/base";
import type { InodeFs } from "@lapstrake/layers";
import type { OpenObject } from "../p1/descriptors.ts";

/** A program to run. The objects are lent: who keeps one longer than the program runs takes a reference of its own. */
export interface SpawnRequest {
  /** Absolute path of the program's file. */
  readonly path: ByteString;
  readonly argv: readonly ByteString[];
  /** `NAME=value` strings. */
  readonly env: readonly ByteString[];
  /** Absolute path of the working directory. */
  readonly cwd: ByteString;
  readonly fds: ReadonlyMap<number, OpenObject>;
}

/** The world of one shell. */
export interface ShellPort {
  readonly fs: InodeFs;
  /**
   * Runs a program to its end: its exit status, 128 + n for a signal. Rejects with ENOEXEC when the file is no program;
   * the shell then reads it as a script.
   */
  spawn(request: SpawnRequest): number;
  /** Called before each command: throws when the shell is to end. */
  check?(): void;
}
