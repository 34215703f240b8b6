// The few system calls of networking: sockets inside a network namespace, setns(2) around a synchronous call, netlink(7).
import { closeSync, openSync } from "node:fs";
import { ERRNO, LapError, systemError } from "@lapstrake/base";
import { CLONE_NEWNET } from "./flags.ts";
import { kernelSyscalls } from "./kernel.ts";
import type { SyscallArg, SyscallPort } from "./port.ts";
import type { SyscallName } from "./numbers.ts";

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
export const MSG_TRUNC = 0x20;
export const MSG_PEEK = 0x2;

/** Makes one call, again when a signal cut it short; throws the Node-shaped error of a failure. */
export function netCall(sys: SyscallPort, name: SyscallName, ...args: readonly SyscallArg[]): number {
  for (;;) {
    const ret = sys.call(name, ...args);
    if (ret >= 0) return ret;
    if (ret !== -ERRNO.EINTR) throw systemError(-ret, name);
  }
}

/** A new close-on-exec socket in the thread's network namespace. */
export function openSocket(
  family: number,
  type: number,
  protocol: number,
  sys: SyscallPort = kernelSyscalls(),
): number {
  return netCall(sys, "socket", family, type | SOCK_CLOEXEC, protocol);
}

/** Comes back to the namespace of `home`; a failed way back ends the process, which would else mix namespaces. */
function comeBack(home: number, sys: SyscallPort): void {
  if (sys.call("setns", home, CLONE_NEWNET) < 0) process.abort();
}

/** Runs `fn` with this thread in a new network namespace, which lives on only if `fn` keeps hold of it; synchronous, as {@link withNetns}. */
export function withNewNetns<T>(fn: () => T, sys: SyscallPort = kernelSyscalls()): T {
  return away(() => netCall(sys, "unshare", CLONE_NEWNET), fn, sys);
}

/**
 * Runs `fn` with this thread in the network namespace of `fd` and comes back before it returns. `fn` must be synchronous: sockets and
 * files of /proc/sys/net that it opens belong to that namespace for good. A failed way back ends the process: it would mix namespaces.
 */
export function withNetns<T>(fd: number, fn: () => T, sys: SyscallPort = kernelSyscalls()): T {
  return away(() => netCall(sys, "setns", fd, CLONE_NEWNET), fn, sys);
}

function away<T>(leave: () => void, fn: () => T, sys: SyscallPort): T {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    leave();
    try {
      const value = fn();
      if (value instanceof Promise) {
        throw new LapError(
          "internal",
          "ERR_LAP_NETNS_ASYNC",
          "a function inside a network namespace must be synchronous",
        );
      }
      return value;
    } finally {
      comeBack(home, sys);
    }
  } finally {
    closeSync(home);
  }
}
