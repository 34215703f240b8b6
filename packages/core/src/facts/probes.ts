// Probes that ask the kernel instead of reading its version: system calls that change nothing.
import { existsSync, readFileSync } from "node:fs";
import { kernelSyscalls } from "../sys/kernel.ts";

const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const LANDLOCK_VERSION = 1;
const PR_GET_SECCOMP = 21;

/** Text of a small file, trimmed; undefined when it cannot be read. */
export function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    // Not there or not ours to read: the fact is absent.
    return undefined;
  }
}

/** True when the kernel knows the filesystem type. */
export function hasFilesystem(type: string): boolean {
  return new RegExp(`\\t${type}$`, "m").test(readLine("/proc/filesystems") ?? "");
}

/** True when overlay takes layers one by one (`lowerdir+`, 6.8): without it a mount has 4 KiB for all of them. */
export function overlayTakesLayersOneByOne(): boolean {
  const sys = kernelSyscalls();
  const context = sys.call("fsopen", "overlay", 1);
  if (context < 0) return false;
  const answer = sys.call("fsconfig", context, FSCONFIG_SET_STRING, "lowerdir+", "/", 0);
  // An overlayfs without parameters of its own takes any key, and complains when it is mounted.
  const takesAnything = sys.call("fsconfig", context, FSCONFIG_SET_FLAG, "lapstrake", 0, 0) === 0;
  sys.call("close", context);
  return answer === 0 && !takesAnything;
}

/** ABI version of Landlock, 0 when it is absent. */
export function landlockAbi(): number {
  return Math.max(0, kernelSyscalls().call("landlock_create_ruleset", 0, 0, LANDLOCK_VERSION));
}

/** True when the kernel has seccomp filters. */
export function hasSeccomp(): boolean {
  const answer = kernelSyscalls().call("prctl", PR_GET_SECCOMP, 0, 0, 0, 0);
  return answer >= 0 && existsSync("/proc/sys/kernel/seccomp");
}

/** True when openat2 resolves beneath a directory (5.6). */
export function hasOpenat2(): boolean {
  const how = new BigUint64Array([0o12000000n, 0n, 0x08n]);
  const fd = kernelSyscalls().call("openat2", -100, "/", new Uint8Array(how.buffer), 24);
  if (fd >= 0) kernelSyscalls().call("close", fd);
  // "/" is not beneath: a kernel that understands says EXDEV.
  return fd === -18;
}
