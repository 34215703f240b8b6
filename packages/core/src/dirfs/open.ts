// The way in: a host directory by its path, everything beneath it by descriptor.
import { systemError, toByteString, type DirFs } from "@lapstrake/base";
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "../sys/flags.ts";
import { kernelSyscalls } from "../sys/kernel.ts";
import { KernelDirFs, type DirFsOptions } from "./kernel.ts";

/** Opens a host directory (links in `path` are followed, none beneath it is). Throws a Node-shaped error. */
export function openDirFs(path: string, options: DirFsOptions = {}): DirFs {
  const sys = kernelSyscalls();
  const fd = sys.call("openat", AT_FDCWD, toByteString(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) throw systemError(-fd, "open", path);
  return new KernelDirFs(sys, fd, options);
}
