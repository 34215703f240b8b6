// The built-in shell as a process of a container: its programs are children in the same system.
import { ERRNO, fsError, fromByteString, toByteString, type ByteString } from "@lapstrake/base";
import type { Descriptor, OpenObject } from "../p1/descriptors.ts";
import { FILE_RIGHTS } from "../p1/abi.ts";
import { EMPTY_INPUT, NULL_OUTPUT } from "../io/buffers.ts";
import type { WasmExit } from "../run/exit.ts";
import { stream } from "../run/preopens.ts";
import type { SpawnRequest } from "../shell/port.ts";
import { runShell } from "../shell/run-shell.ts";
import type { ProcessSpec, Stdio, System } from "./system.ts";

/** A shell of one system. */
export interface ShellProcess {
  readonly system: System;
  readonly pid: number;
  /** `args` are those of `sh`: see run-shell.ts. */
  readonly spec: ProcessSpec;
}

/** Runs the shell to its end. Limits and interrupts pass through as what they throw. */
export function runShellProcess({ system, pid, spec }: ShellProcess): WasmExit {
  const exitCode = runShell({
    port: {
      fs: system.fs,
      check: () => system.interrupt.check(),
      spawn: (request) => spawn(system, pid, request),
    },
    argv: spec.args.map(toByteString),
    env: Object.entries(spec.env).map(([name, value]) => toByteString(`${name}=${value}`)),
    cwd: toByteString(spec.cwd),
    fds: new Map(spec.stdio.map(({ object }, fd) => [fd, object])),
  });
  return { exitCode, reason: "exit" };
}

function spawn(system: System, parent: number, { argv, env, cwd, fds }: SpawnRequest): number {
  const child = system.spawn({
    args: argv.map(fromByteString),
    env: Object.fromEntries(env.map(variable)),
    cwd: fromByteString(cwd),
    stdio: [0, 1, 2].map((fd) => described(fds.get(fd), fd)) as unknown as Stdio,
    parent,
  });
  const { exit } = system.join(parent, child.pid) ?? child;
  if (exit === undefined) throw fsError(ERRNO.ECHILD);
  return exit.exitCode;
}

function variable(entry: ByteString): [string, string] {
  const text = fromByteString(entry);
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The object as a descriptor with all rights of its kind; a closed one reads nothing and forgets. */
function described(object: OpenObject | undefined, fd: number): Descriptor {
  if (object === undefined) return fd === 0 ? stream(EMPTY_INPUT, undefined) : stream(undefined, NULL_OUTPUT);
  if (object.kind === "stream") return { ...stream(object.input, object.output), object };
  return { object, rights: FILE_RIGHTS, inheriting: 0, preopen: undefined, reach: "beneath" };
}
