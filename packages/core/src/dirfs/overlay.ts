// An overlay as a DirFs, mounted nowhere: fsopen(2), fsconfig(2), fsmount(2). No path shows it, and it goes with its descriptor, also
// when the process is killed.
import { ERRNO, LapError, systemError, toByteString, type DirFs } from "@lapstrake/base";
import type { Rootfs } from "../launch/types.ts";
import { O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "../sys/flags.ts";
import { kernelSyscalls } from "../sys/kernel.ts";
import type { SyscallArg, SyscallPort } from "../sys/port.ts";
import { KernelDirFs } from "./kernel.ts";

const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_NODEV = 4;
const MOUNT_ATTR_NOSUID = 2;

type Overlay = Extract<Rootfs, { readonly kind: "overlay" }>;

/** Mounts the layers and opens the result. Root only; the upper may be mounted nowhere else. Throws `ERR_LAP_OVERLAY_OLD`. */
export function openOverlayDirFs(overlay: Overlay): DirFs {
  const sys = kernelSyscalls();
  using below = overlay.base === undefined ? undefined : baseOf(sys, overlay.base.lowerdirs);
  const base = below === undefined ? [] : [pathOf(below)];
  using mount = mounted(sys, "overlay", [
    ...[...overlay.lowerdirs, ...base].map((lower) => ["lowerdir+", lower] as const),
    ["upperdir", overlay.upperdir],
    ["workdir", overlay.workdir],
  ]);
  const root: SyscallArg[] = [mount.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0];
  return new KernelDirFs(sys, must(sys.call("openat", ...root), "open"), {});
}

/** An overlay without an upper: the kernel refuses an upper beneath its own lower. It wants two layers, so the last is an empty tmpfs. */
function baseOf(sys: SyscallPort, lowerdirs: readonly string[]): Descriptor {
  using empty = mounted(sys, "tmpfs", []);
  try {
    return mounted(
      sys,
      "overlay",
      [...lowerdirs, pathOf(empty)].map((lower) => ["lowerdir+", lower] as const),
    );
  } catch (error) {
    // Before 6.15 what is mounted nowhere is no layer.
    throw (error as { errno?: number }).errno === -ERRNO.EINVAL ? tooOldForBase() : error;
  }
}

/** A filesystem mounted nowhere. */
function mounted(sys: SyscallPort, type: string, options: readonly (readonly [string, string])[]): Descriptor {
  using context = descriptor(sys, must(sys.call("fsopen", type, FSOPEN_CLOEXEC), "fsopen"));
  // Before 6.5 the context takes any key and layers only as one short text.
  const isLax = sys.call("fsconfig", context.fd, FSCONFIG_SET_FLAG, "lapstrake", 0, 0) === 0;
  if (isLax && type === "overlay") throw tooOld();
  for (const [key, value] of options) {
    must(sys.call("fsconfig", context.fd, FSCONFIG_SET_STRING, key, toByteString(value), 0), "fsconfig", value);
  }
  must(sys.call("fsconfig", context.fd, FSCONFIG_CMD_CREATE, 0, 0, 0), "fsconfig");
  const flags = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
  return descriptor(sys, must(sys.call("fsmount", context.fd, FSMOUNT_CLOEXEC, flags), "fsmount"));
}

interface Descriptor extends Disposable {
  readonly fd: number;
}

function pathOf({ fd }: Descriptor): string {
  return `/proc/self/fd/${fd}`;
}

function descriptor(sys: SyscallPort, fd: number): Descriptor {
  return { fd, [Symbol.dispose]: () => void sys.call("close", fd) };
}

function must(ret: number, call: string, path?: string): number {
  if (ret < 0) throw systemError(-ret, call, path);
  return ret;
}

function tooOld(): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_OVERLAY_OLD", "this kernel cannot mount an overlay out of sight", {
    hint: "Linux 6.5 or later can; start the box to reach its files",
  });
}

function tooOldForBase(): LapError {
  const text = "this kernel cannot mount the machine's own files beneath a container's out of sight";
  return new LapError("failedPrecondition", "ERR_LAP_OVERLAY_OLD", text, {
    hint: "Linux 6.15 or later can; start the container to reach its files",
  });
}
