// The path_* calls that change or ask for names: rights and arguments here, the operations in files/at.ts.
import type { ByteString } from "@lapstrake/base";
import {
  inodeAt,
  linkAt,
  makeDirAt,
  readlinkAt,
  removeDirAt,
  renameAt,
  statAt,
  symlinkAt,
  unlinkAt,
} from "../files/at.ts";
import type { Base } from "../files/walk.ts";
import { LOOKUP_FOLLOW, RIGHT, WASI } from "./abi.ts";
import { baseOf } from "./descriptors.ts";
import type { Guest, HostFunctions } from "./guest.ts";
import { filestatOf } from "./layouts.ts";
import { timesChange } from "./times.ts";

/** Host calls on paths. */
export function pathCalls(guest: Guest): HostFunctions {
  return { ...pathStats(guest), ...pathNames(guest) };
}

function baseWith(guest: Guest, fd: number, right: number): Base {
  return baseOf(guest.fds.dir(fd, right));
}

function pathStats(guest: Guest): HostFunctions {
  const { fs, memory } = guest;
  return {
    path_filestat_get(fd: number, lookup: number, at: number, length: number, result: number): number {
      const base = baseWith(guest, fd, RIGHT.pathFilestatGet);
      const attr = statAt(fs, base, memory.path(at, length), (lookup & LOOKUP_FOLLOW) !== 0);
      guest.layouts.writeFilestat(memory.view, result >>> 0, filestatOf(attr));
      return WASI.SUCCESS;
    },
    path_filestat_set_times(
      fd: number,
      lookup: number,
      at: number,
      length: number,
      atime: bigint,
      mtime: bigint,
      flags: number,
    ): number {
      const base = baseWith(guest, fd, RIGHT.pathFilestatSetTimes);
      const change = timesChange(guest.clock, atime, mtime, flags);
      fs.setattr(inodeAt(fs, base, memory.path(at, length), (lookup & LOOKUP_FOLLOW) !== 0), change);
      return WASI.SUCCESS;
    },
    path_readlink(fd: number, at: number, length: number, buffer: number, size: number, result: number): number {
      const target = readlinkAt(fs, baseWith(guest, fd, RIGHT.pathReadlink), memory.path(at, length));
      memory.setU32(result, copy(target, memory.range(buffer, size)));
      return WASI.SUCCESS;
    },
  };
}

function pathNames(guest: Guest): HostFunctions {
  const { fs, memory } = guest;
  return {
    path_create_directory(fd: number, at: number, length: number): number {
      makeDirAt(fs, baseWith(guest, fd, RIGHT.pathCreateDirectory), memory.path(at, length));
      return WASI.SUCCESS;
    },
    path_remove_directory(fd: number, at: number, length: number): number {
      removeDirAt(fs, baseWith(guest, fd, RIGHT.pathRemoveDirectory), memory.path(at, length));
      return WASI.SUCCESS;
    },
    path_unlink_file(fd: number, at: number, length: number): number {
      unlinkAt(fs, baseWith(guest, fd, RIGHT.pathUnlinkFile), memory.path(at, length));
      return WASI.SUCCESS;
    },
    path_link(
      fd: number,
      lookup: number,
      at: number,
      length: number,
      toFd: number,
      toAt: number,
      toLength: number,
    ): number {
      // POSIX lets link() follow; WASI's peers refuse it, and so the flag is an error here too.
      if ((lookup & LOOKUP_FOLLOW) !== 0) return WASI.EINVAL;
      const from = baseWith(guest, fd, RIGHT.pathLinkSource);
      const to = baseWith(guest, toFd, RIGHT.pathLinkTarget);
      linkAt(fs, from, memory.path(at, length), to, memory.path(toAt, toLength));
      return WASI.SUCCESS;
    },
    path_rename(fd: number, at: number, length: number, toFd: number, toAt: number, toLength: number): number {
      const from = baseWith(guest, fd, RIGHT.pathRenameSource);
      const to = baseWith(guest, toFd, RIGHT.pathRenameTarget);
      renameAt(fs, from, memory.path(at, length), to, memory.path(toAt, toLength));
      return WASI.SUCCESS;
    },
    path_symlink(targetAt: number, targetLength: number, fd: number, at: number, length: number): number {
      const target = memory.path(targetAt, targetLength);
      symlinkAt(fs, target, baseWith(guest, fd, RIGHT.pathSymlink), memory.path(at, length));
      return WASI.SUCCESS;
    },
  };
}

/** Bytes copied; a target longer than the buffer is cut, as readlink(2) does. */
function copy(text: ByteString, into: Uint8Array): number {
  const length = Math.min(text.length, into.length);
  for (let i = 0; i < length; i++) into[i] = text.charCodeAt(i);
  return length;
}
