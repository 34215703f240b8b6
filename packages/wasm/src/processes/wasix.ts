// The part of WASIX (wasix_32v1) that starts other programs of the image: spawn, join, pipes, identity, working directory.
// WASIX's threads, fork and sockets are not offered.
import { ERRNO, fsError, fromByteString, toByteString } from "@lapstrake/base";
import { WASI } from "../p1/abi.ts";
import type { Descriptor } from "../p1/descriptors.ts";
import { wasiError } from "../p1/errno.ts";
import type { Guest } from "../p1/guest.ts";
import { guardedCalls, type HostFunction } from "../p1/imports.ts";
import { EMPTY_INPUT, NULL_OUTPUT } from "../io/buffers.ts";
import { stream } from "../run/preopens.ts";
import { joinPath } from "./programs.ts";
import { MemoryPipe } from "./memory-pipe.ts";
import { releaseDescriptor, shareDescriptor, type ProcessSpec, type Stdio, type System } from "./system.ts";

/** Which process calls. */
export interface WasixProcess {
  readonly system: System;
  readonly pid: number;
  readonly spec: ProcessSpec;
}

/** stdio_mode. */
const MODE = { piped: 0, inherit: 1, null: 2, log: 3 } as const;
const JOIN_NONBLOCK = 1;
const EXIT_NORMAL = 1;
const MAX_ARGS_BYTES = 1024 * 1024;

/** The import object of wasix_32v1. */
export function wasixImports(guest: Guest, process: WasixProcess): Record<string, HostFunction> {
  const { memory, fds } = guest;
  return guardedCalls({
    proc_spawn: (...args: number[]): number => spawn(guest, process, args),
    proc_join: (option: number, flags: number, status: number): number => join(guest, process, option, flags, status),
    proc_id(result: number): number {
      memory.setU32(result, process.pid);
      return WASI.SUCCESS;
    },
    proc_parent(_pid: number, result: number): number {
      memory.setU32(result, process.spec.parent);
      return WASI.SUCCESS;
    },
    fd_pipe(readEnd: number, writeEnd: number): number {
      fds.reserve(2);
      const pipe = new MemoryPipe();
      memory.setU32(readEnd, fds.add(stream(pipe.input, undefined)));
      memory.setU32(writeEnd, fds.add(stream(undefined, pipe.output)));
      return WASI.SUCCESS;
    },
    fd_dup(fd: number, result: number): number {
      fds.reserve();
      memory.setU32(result, fds.add(shareDescriptor(fds.get(fd))));
      return WASI.SUCCESS;
    },
    getcwd(buffer: number, length: number): number {
      const cwd = toByteString(process.spec.cwd);
      const room = memory.u32(length);
      memory.setU32(length, cwd.length);
      if (room < cwd.length) return WASI.EOVERFLOW;
      memory.range(buffer, cwd.length).set([...cwd].map((unit) => unit.charCodeAt(0)));
      return WASI.SUCCESS;
    },
  });
}

/** proc_spawn(name, chroot, args, preopens, stdin, stdout, stderr, directory, result): strings are pointer and length. */
function spawn(guest: Guest, process: WasixProcess, call: readonly number[]): number {
  const [name, nameLength, chroot, args, argsLength, , preopensLength, stdin, stdout, stderr, dir, dirLength, result] =
    call;
  const { memory } = guest;
  if (chroot !== 0 || preopensLength !== 0) return WASI.ENOTSUP;
  if (argsLength! >>> 0 > MAX_ARGS_BYTES) return WASI.E2BIG;
  const program = fromByteString(memory.path(name!, nameLength!));
  const given = textOf(guest, args!, argsLength!);
  const cwd = joinPath(process.spec.cwd, fromByteString(memory.path(dir!, dirLength!)) || ".");
  const ends = [stdin!, stdout!, stderr!].map((mode, fd) => stdioOf(guest, mode, fd));
  const spec: ProcessSpec = {
    args: [
      program,
      ...given
        .split(/[\n\0]/)
        .slice(1)
        .filter((_, i, all) => i < all.length - 1 || all[i] !== ""),
    ],
    env: process.spec.env,
    cwd: cwd.replace(/\/\.$/, "") || "/",
    stdio: ends.map(({ child }) => child) as unknown as Stdio,
    parent: process.pid,
  };
  try {
    return started(guest, process, spec, ends, result!);
  } finally {
    for (const { child } of ends) releaseDescriptor(guest.fs, child);
  }
}

function started(guest: Guest, process: WasixProcess, spec: ProcessSpec, ends: readonly End[], result: number): number {
  const piped = ends.filter(({ mine }) => mine !== undefined);
  guest.fds.reserve(piped.length);
  const child = process.system.spawn(spec);
  guest.memory.setU32(result, child.pid);
  for (const [index, { mine, pipe }] of ends.entries()) {
    const at = result + 4 + 8 * index;
    guest.memory.setU32(at, mine === undefined ? 0 : 1);
    if (mine !== undefined) guest.memory.setU32(at + 4, guest.fds.add(mine));
    // Whoever reads what the child writes makes it run first.
    if (pipe !== undefined && index > 0) pipe.onStarve = () => void child.run();
  }
  // Without a pipe into it, nothing is to come: it runs now.
  if (ends[0]!.pipe === undefined) child.run();
  return WASI.SUCCESS;
}

/** One of the child's three: what it gets, and the parent's end of a pipe. */
interface End {
  readonly child: Descriptor;
  readonly mine: Descriptor | undefined;
  readonly pipe: MemoryPipe | undefined;
}

function stdioOf(guest: Guest, mode: number, fd: number): End {
  if (mode === MODE.inherit) return { child: shareDescriptor(guest.fds.get(fd)), mine: undefined, pipe: undefined };
  if (mode === MODE.log) return { child: shareDescriptor(guest.fds.get(2)), mine: undefined, pipe: undefined };
  if (mode === MODE.null) {
    const child = fd === 0 ? stream(EMPTY_INPUT, undefined) : stream(undefined, NULL_OUTPUT);
    return { child, mine: undefined, pipe: undefined };
  }
  if (mode !== MODE.piped) throw wasiError(WASI.EINVAL);
  const pipe = new MemoryPipe();
  const reads = stream(pipe.input, undefined);
  const writes = stream(undefined, pipe.output);
  return fd === 0 ? { child: reads, mine: writes, pipe } : { child: writes, mine: reads, pipe };
}

function textOf(guest: Guest, at: number, length: number): string {
  return new TextDecoder().decode(guest.memory.range(at, length).slice());
}

/** proc_join: `option` is a pid or none, and tells which child it was; `status` is how it ended. */
function join(guest: Guest, process: WasixProcess, option: number, flags: number, status: number): number {
  const { memory } = guest;
  const pid = memory.view.getUint8(option >>> 0) === 0 ? undefined : memory.u32(option + 4);
  if ((flags & ~JOIN_NONBLOCK) !== 0) return WASI.ENOTSUP;
  const child = process.system.join(process.pid, pid);
  if (child === undefined) throw fsError(ERRNO.ECHILD);
  memory.view.setUint8(option >>> 0, 1);
  memory.setU32(option + 4, child.pid);
  memory.view.setUint8(status >>> 0, EXIT_NORMAL);
  memory.view.setUint16((status >>> 0) + 2, child.exit!.exitCode, true);
  return WASI.SUCCESS;
}
