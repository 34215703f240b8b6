// The plan's way to the helper: an anonymous file, sealed, so that both read the same bytes (memfd_create(2)).
import { writeSync } from "node:fs";
import { systemError } from "@lapstrake/base";
import { kernelSyscalls } from "../sys/kernel.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const SEAL_ALL = 0xf;

/** A sealed memfd with `bytes`; the caller closes it. */
export function memfdOf(name: string, bytes: Uint8Array): number {
  const sys = kernelSyscalls();
  const fd = sys.call("memfd_create", name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) throw systemError(-fd, "memfd_create");
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, done);
  sys.call("fcntl", fd, F_ADD_SEALS, SEAL_ALL);
  return fd;
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
