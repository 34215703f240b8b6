// An overlay as a DirFs, mounted nowhere: fsopen(2), fsconfig(2), fsmount(2). No path shows it, and it goes with its descriptor, also
// when the process is killed.
import { LapError, systemError, toByteString, type DirFs } from "@lapstrake/base";
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

type Overlay = Omit<Extract<Rootfs, { readonly kind: "overlay" }>, "base">;

/** Mounts the layers and opens the result. Root only; the upper may be mounted nowhere else. Throws `ERR_LAP_OVERLAY_OLD`. */
export function openOverlayDirFs(overlay: Overlay): DirFs {
  const sys = kernelSyscalls();
  using context = descriptor(sys, must(sys.call("fsopen", "overlay", FSOPEN_CLOEXEC), "fsopen"));
  // Before 6.5 the context takes any key and layers only as one short text.
  if (sys.call("fsconfig", context.fd, FSCONFIG_SET_FLAG, "lapstrake", 0, 0) === 0) throw tooOld();
  const set = (key: string, value: string): void => {
    must(sys.call("fsconfig", context.fd, FSCONFIG_SET_STRING, key, toByteString(value), 0), "fsconfig", value);
  };
  for (const lower of overlay.lowerdirs) set("lowerdir+", lower);
  set("upperdir", overlay.upperdir);
  set("workdir", overlay.workdir);
  must(sys.call("fsconfig", context.fd, FSCONFIG_CMD_CREATE, 0, 0, 0), "fsconfig");
  const flags = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
  using mount = descriptor(sys, must(sys.call("fsmount", context.fd, FSMOUNT_CLOEXEC, flags), "fsmount"));
  const root: SyscallArg[] = [mount.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0];
  return new KernelDirFs(sys, must(sys.call("openat", ...root), "open"), {});
}

function descriptor(sys: SyscallPort, fd: number): Disposable & { readonly fd: number } {
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
