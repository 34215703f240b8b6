// The plan's way to the helper: an anonymous file, sealed, so that both read the same bytes (memfd_create(2)).
import { closeSync, readFileSync, writeSync } from "node:fs";
import { ERRNO, systemError } from "@lapstrake/base";
import { kernelSyscalls } from "../sys/kernel.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_EXEC = 16;
const F_ADD_SEALS = 1033;
const F_DUPFD_CLOEXEC = 1030;
// Below 64, because a larger number makes the kernel grow the descriptor table, and a process with threads then waits for every
// CPU (expand_fdtable: synchronize_rcu): 5 to 15 ms, more than the container's own start.
const SAFE_NUMBER = 48;
const SEAL_ALL = 0xf;

/** A sealed memfd with `bytes`; the caller closes it. */
export function memfdOf(name: string, bytes: Uint8Array): number {
  const sys = kernelSyscalls();
  const fd = sys.call("memfd_create", name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) throw systemError(-fd, "memfd_create");
  fill(fd, bytes);
  return fd;
}

function fill(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, done);
  const ret = kernelSyscalls().call("fcntl", fd, F_ADD_SEALS, SEAL_ALL);
  if (ret < 0) throw systemError(-ret, "fcntl");
}

// Kernels before 6.3 do not know MFD_EXEC and need none.
function executableMemfd(name: string): number {
  const sys = kernelSyscalls();
  const fd = sys.call("memfd_create", name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  return fd === -ERRNO.EINVAL ? sys.call("memfd_create", name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

/** A sealed, executable copy of a program, on a descriptor of `least` or more; stays open for the caller's life. */
export function sealedProgram(path: string, least: number): number {
  const fd = executableMemfd("lap-shim");
  if (fd < 0) throw systemError(-fd, "memfd_create");
  fill(fd, readFileSync(path));
  return outOfTheWay(fd, Math.max(least, SAFE_NUMBER));
}

// The child opens it by number after its own descriptors were put in place: the number must not be one of those.
function outOfTheWay(fd: number, least: number): number {
  const moved = kernelSyscalls().call("fcntl", fd, F_DUPFD_CLOEXEC, least);
  if (moved < 0) throw systemError(-moved, "fcntl");
  closeSync(fd);
  return moved;
}

/** A connected pair of stream sockets, close-on-exec, ours non-blocking as libuv wants it. */
export function socketPair(): [ours: number, theirs: number] {
  const AF_UNIX = 1;
  const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
  const pair = new Int32Array(2);
  const ret = kernelSyscalls().call("socketpair", AF_UNIX, SOCK_STREAM_CLOEXEC, 0, new Uint8Array(pair.buffer));
  if (ret < 0) throw systemError(-ret, "socketpair");
  return [pair[0]!, pair[1]!];
}
