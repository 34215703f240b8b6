// Network namespaces as descriptors: of a process, or of a file that holds one (ip-netns(8) style). setns(2) lives in sys/net.ts.
import { closeSync, openSync } from "node:fs";
import { withNetns } from "../sys/net.ts";

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
