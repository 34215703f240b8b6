// Sysctls of a network namespace: /proc/sys/net shows that of whoever opens the file, so it is opened inside.
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { LapError } from "@lapstrake/base";
import { inNetns } from "./netns.ts";

const PART = /^[A-Za-z0-9_.@:-]+$/;
const MAX_VALUE = 256;

/** A sysctl beneath /proc/sys/net, by its parts, so that a device name may hold dots: `["ipv4", "conf", "br0", "route_localnet"]`. */
export type SysctlPath = readonly string[];

function pathOf(parts: SysctlPath): string {
  const bad = parts.find((part) => !PART.test(part) || part === "." || part === "..");
  if (bad !== undefined) {
    throw new LapError("invalidArgument", "ERR_LAP_SYSCTL", `invalid part "${bad}" of a network sysctl`);
  }
  return `/proc/sys/net/${parts.join("/")}`;
}

function withFile<T>(netns: number | undefined, path: string, flags: string, use: (fd: number) => T): T {
  const fd = inNetns(netns, () => openSync(path, flags));
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** The value, without its newline; throws ENOENT when the kernel has no such sysctl. */
export function readSysctl(parts: SysctlPath, netns?: number): string {
  return withFile(netns, pathOf(parts), "r", (fd) => {
    const buffer = Buffer.alloc(MAX_VALUE);
    return buffer.toString("latin1", 0, readSync(fd, buffer)).trimEnd();
  });
}

/** Writes a value unless it is already there; returns true when it changed. */
export function writeSysctl(parts: SysctlPath, value: string, netns?: number): boolean {
  if (readSysctl(parts, netns) === value) return false;
  withFile(netns, pathOf(parts), "r+", (fd) => writeSync(fd, value));
  return true;
}
