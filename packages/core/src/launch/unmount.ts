// Taking away what a container without a mount namespace of its own mounted beneath its root.
import { readFileSync, realpathSync } from "node:fs";
import { ERRNO, systemError, toByteString } from "@lapstrake/base";
import { parseMountInfo } from "../facts/mountinfo.ts";
import { kernelSyscalls } from "../sys/kernel.ts";

const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

/** Unmounts everything beneath a directory, the last mounted first; throws a system error. */
export function unmountBeneath(path: string): void {
  const root = `${realpathSync(path)}/`;
  const mounts = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
  for (const { mountPoint } of mounts.reverse()) {
    if (!mountPoint.startsWith(root)) continue;
    const ret = kernelSyscalls().call("umount2", toByteString(mountPoint), MNT_DETACH | UMOUNT_NOFOLLOW);
    // Gone with the mount above it.
    if (ret < 0 && ret !== -ERRNO.EINVAL) throw systemError(-ret, "umount2", mountPoint);
  }
}
