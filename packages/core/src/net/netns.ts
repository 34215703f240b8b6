// Network namespaces as descriptors: of a process, or of a file that holds one (ip-netns(8) style). setns(2) lives in sys/net.ts.
import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { errorCode } from "@lapstrake/base";
import { kernelSyscalls } from "../sys/kernel.ts";
import { netCall, withNetns, withNewNetns } from "../sys/net.ts";

/** A network namespace: the pid of a process inside, the path of a file that holds it, or an open descriptor. */
export type NetnsRef = { readonly pid: number } | { readonly path: string } | { readonly fd: number };

/** An open network namespace; dispose closes the descriptor unless it was lent. */
export interface Netns extends Disposable {
  readonly fd: number;
}

/** Opens a namespace; throws the open error (ENOENT when the process is gone). */
export function openNetns(ref: NetnsRef): Netns {
  if ("fd" in ref) return { fd: ref.fd, [Symbol.dispose]: () => undefined };
  const fd = openSync("path" in ref ? ref.path : `/proc/${ref.pid}/ns/net`, "r");
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** Runs `fn` in the namespace, or right here when there is none. `fn` must be synchronous. */
export function inNetns<T>(fd: number | undefined, fn: () => T): T {
  return fd === undefined ? fn() : withNetns(fd, fn);
}

const MS_BIND = 4096;
const MNT_DETACH = 2;

/**
 * Makes a network namespace that a file holds, loopback down, as ip-netns(8) does: it outlives every process, so that a container that
 * is started again finds its network. `path` is absolute and new (EEXIST); its folder exists.
 */
export function createNetns(path: string): void {
  writeFileSync(path, "", { flag: "wx", mode: 0o444 });
  try {
    withNewNetns(() => netCall(kernelSyscalls(), "mount", "/proc/thread-self/ns/net", path, "", MS_BIND, 0));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Lets go of a namespace that {@link createNetns} made; its devices go with it once nobody else is inside. False when there was none. */
export function removeNetns(path: string): boolean {
  try {
    netCall(kernelSyscalls(), "umount2", path, MNT_DETACH);
  } catch (error) {
    // Not mounted (a reboot came between): only the file is left.
    if (errorCode(error) === "ENOENT") return false;
    if (errorCode(error) !== "EINVAL") throw error;
  }
  rmSync(path, { force: true });
  return true;
}
