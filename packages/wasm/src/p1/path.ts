// The path_* calls that change or ask for names: directories, links, renames, removals, filestat by path.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import type { Ino } from "@lapstrake/layers";
import { LOOKUP_FOLLOW, RIGHT, WASI } from "./abi.ts";
import type { DirDescriptor } from "./descriptors.ts";
import type { Guest, HostFunctions } from "./guest.ts";
import { filestatOf } from "./layouts.ts";
import { timesChange } from "./times.ts";
import { walk, type Place } from "./walk.ts";

const NEW_DIR_MODE = 0o755;

/** Host calls on paths. */
export function pathCalls(guest: Guest): HostFunctions {
  const { fds, fs, memory } = guest;
  const place = (fd: number, right: number, at: number, length: number, follow: boolean): Place =>
    walk(fs, fds.dir(fd, right), memory.path(at, length), follow);
  return {
    path_create_directory(fd: number, at: number, length: number): number {
      const { dir, name, ino } = place(fd, RIGHT.pathCreateDirectory, at, length, false);
      if (ino !== undefined) throw fsError(ERRNO.EEXIST);
      fs.mkdir(dir, name, NEW_DIR_MODE);
      return WASI.SUCCESS;
    },
    path_filestat_get(fd: number, lookup: number, at: number, length: number, result: number): number {
      const found = existing(guest, place(fd, RIGHT.pathFilestatGet, at, length, (lookup & LOOKUP_FOLLOW) !== 0));
      guest.layouts.writeFilestat(memory.view, result >>> 0, filestatOf(fs.getattr(found)));
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
      const right = RIGHT.pathFilestatSetTimes;
      const base = fds.dir(fd, right);
      const change = timesChange(guest.clock, atime, mtime, flags);
      const found = walk(fs, base, memory.path(at, length), (lookup & LOOKUP_FOLLOW) !== 0);
      fs.setattr(existing(guest, found), change);
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
      link(
        guest,
        place(fd, RIGHT.pathLinkSource, at, length, false),
        place(toFd, RIGHT.pathLinkTarget, toAt, toLength, false),
      );
      return WASI.SUCCESS;
    },
    path_readlink(fd: number, at: number, length: number, buffer: number, size: number, result: number): number {
      const found = existing(guest, place(fd, RIGHT.pathReadlink, at, length, false));
      const target = fs.getattr(found).type === "symlink" ? fs.readlink(found) : invalid();
      memory.setU32(result, copy(target, memory.range(buffer, size)));
      return WASI.SUCCESS;
    },
    path_remove_directory(fd: number, at: number, length: number): number {
      const { dir, name, ino } = place(fd, RIGHT.pathRemoveDirectory, at, length, false);
      if (ino === undefined) throw fsError(ERRNO.ENOENT);
      if (name === "") throw fsError(ERRNO.EINVAL);
      fs.rmdir(dir, name);
      return WASI.SUCCESS;
    },
    path_unlink_file(fd: number, at: number, length: number): number {
      const { dir, name, ino, mustBeDir } = place(fd, RIGHT.pathUnlinkFile, at, length, false);
      if (ino === undefined) throw fsError(ERRNO.ENOENT);
      const isDir = fs.getattr(ino).type === "dir";
      if (isDir) throw fsError(ERRNO.EISDIR);
      if (mustBeDir) throw fsError(ERRNO.ENOTDIR);
      fs.unlink(dir, name);
      return WASI.SUCCESS;
    },
    path_rename(fd: number, at: number, length: number, toFd: number, toAt: number, toLength: number): number {
      const from = place(fd, RIGHT.pathRenameSource, at, length, false);
      rename(guest, from, place(toFd, RIGHT.pathRenameTarget, toAt, toLength, false));
      return WASI.SUCCESS;
    },
    path_symlink(targetAt: number, targetLength: number, fd: number, at: number, length: number): number {
      return symlink(
        guest,
        memory.path(targetAt, targetLength),
        fds.dir(fd, RIGHT.pathSymlink),
        memory.path(at, length),
      );
    },
  };
}

/** The inode of a place; ENOENT, or ENOTDIR for `file/`. */
function existing(guest: Guest, { ino, mustBeDir }: Place): Ino {
  if (ino === undefined) throw fsError(ERRNO.ENOENT);
  if (mustBeDir && guest.fs.getattr(ino).type !== "dir") throw fsError(ERRNO.ENOTDIR);
  return ino;
}

function invalid(): never {
  throw fsError(ERRNO.EINVAL);
}

/** Bytes copied; a target longer than the buffer is cut, as readlink(2) does. */
function copy(text: ByteString, into: Uint8Array): number {
  const length = Math.min(text.length, into.length);
  for (let i = 0; i < length; i++) into[i] = text.charCodeAt(i);
  return length;
}

function link(guest: Guest, from: Place, to: Place): void {
  const ino = existing(guest, from);
  if (guest.fs.getattr(ino).type === "dir") throw fsError(ERRNO.EPERM);
  if (to.ino !== undefined) throw fsError(ERRNO.EEXIST);
  if (to.mustBeDir) throw fsError(ERRNO.ENOENT);
  guest.fs.link(ino, to.dir, to.name);
}

function rename(guest: Guest, from: Place, to: Place): void {
  const ino = existing(guest, from);
  if (from.name === "" || to.name === "") throw fsError(ERRNO.EBUSY);
  const isDir = guest.fs.getattr(ino).type === "dir";
  if (to.mustBeDir && !isDir) throw fsError(ERRNO.ENOTDIR);
  guest.fs.rename(from.dir, from.name, to.dir, to.name, 0);
}

function symlink(guest: Guest, target: ByteString, base: DirDescriptor, path: ByteString): number {
  if (target === "") throw fsError(ERRNO.ENOENT);
  // A guest with part of the filesystem could not follow it, and another sandbox might: refused at the source.
  if (target.startsWith("/") && base.reach === "beneath") return WASI.EPERM;
  const place = walk(guest.fs, base, path, false);
  if (place.ino !== undefined) throw fsError(ERRNO.EEXIST);
  if (place.mustBeDir) throw fsError(ERRNO.ENOENT);
  guest.fs.symlink(place.dir, place.name, target);
  return WASI.SUCCESS;
}
