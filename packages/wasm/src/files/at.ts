// The *at() operations behind every WASI version: names beneath a directory, over inodes. Failures throw the filesystem's errors.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import { OPEN, type Attr, type Handle, type Ino, type InodeFs } from "@lapstrake/layers";
import { look, walk, type Base, type Place } from "./walk.ts";

const NEW_DIR_MODE = 0o755;
const NEW_FILE_MODE = 0o644;

/** How to open; without `write` the handle only reads. */
export interface OpenAt {
  readonly follow: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly directory: boolean;
  readonly truncate: boolean;
  readonly write: boolean;
}

/** What was opened; close `handle`. */
export interface Opened {
  readonly kind: "file" | "dir";
  readonly ino: Ino;
  readonly handle: Handle;
}

/** openat(2). */
export function openAt(fs: InodeFs, base: Base, path: ByteString, how: OpenAt): Opened {
  const exclusive = how.create && how.exclusive;
  const place = (how.create ? walk : look)(fs, base, path, how.follow && !exclusive);
  if (place.ino === undefined) return createFile(fs, place, how);
  if (exclusive) throw fsError(ERRNO.EEXIST);
  const { type } = fs.getattr(place.ino);
  if (type === "symlink") throw fsError(ERRNO.ELOOP);
  if (type === "dir") return openDirectory(fs, place.ino, how);
  if (place.mustBeDir || how.directory) throw fsError(ERRNO.ENOTDIR);
  // Truncating needs a writable handle, whatever the guest may do with it later.
  const flags = accessOf(how) | (how.truncate ? OPEN.truncate | OPEN.write : 0);
  return { kind: "file", ino: place.ino, handle: fs.open(place.ino, flags) };
}

function accessOf({ write }: OpenAt): number {
  return write ? OPEN.read | OPEN.write : OPEN.read;
}

function createFile(fs: InodeFs, place: Place, how: OpenAt): Opened {
  if (!how.create) throw fsError(ERRNO.ENOENT);
  if (how.directory) throw fsError(ERRNO.EINVAL);
  if (place.mustBeDir) throw fsError(ERRNO.EISDIR);
  return { kind: "file", ...fs.create(place.dir, place.name, NEW_FILE_MODE, accessOf(how)) };
}

function openDirectory(fs: InodeFs, ino: Ino, how: OpenAt): Opened {
  if ((how.create || how.truncate) && !how.directory) throw fsError(ERRNO.EISDIR);
  if (how.write) throw fsError(ERRNO.EISDIR);
  return { kind: "dir", ino, handle: fs.opendir(ino) };
}

/** fstatat(2). */
export function statAt(fs: InodeFs, base: Base, path: ByteString, follow: boolean): Attr {
  return fs.getattr(inodeAt(fs, base, path, follow));
}

/** The inode of an existing name; ENOENT, or ENOTDIR for `file/`. */
export function inodeAt(fs: InodeFs, base: Base, path: ByteString, follow: boolean): Ino {
  return existing(fs, look(fs, base, path, follow));
}

function existing(fs: InodeFs, { ino, mustBeDir }: Place): Ino {
  if (ino === undefined) throw fsError(ERRNO.ENOENT);
  if (mustBeDir && fs.getattr(ino).type !== "dir") throw fsError(ERRNO.ENOTDIR);
  return ino;
}

/** mkdirat(2). */
export function makeDirAt(fs: InodeFs, base: Base, path: ByteString): void {
  const { dir, name, ino } = walk(fs, base, path, false);
  if (ino !== undefined) throw fsError(ERRNO.EEXIST);
  fs.mkdir(dir, name, NEW_DIR_MODE);
}

/** readlinkat(2). */
export function readlinkAt(fs: InodeFs, base: Base, path: ByteString): ByteString {
  const ino = inodeAt(fs, base, path, false);
  if (fs.getattr(ino).type !== "symlink") throw fsError(ERRNO.EINVAL);
  return fs.readlink(ino);
}

/** unlinkat(2) with AT_REMOVEDIR. */
export function removeDirAt(fs: InodeFs, base: Base, path: ByteString): void {
  const { dir, name, ino } = walk(fs, base, path, false);
  if (ino === undefined) throw fsError(ERRNO.ENOENT);
  if (name === "") throw fsError(ERRNO.EINVAL);
  fs.rmdir(dir, name);
}

/** unlinkat(2). */
export function unlinkAt(fs: InodeFs, base: Base, path: ByteString): void {
  const { dir, name, ino, mustBeDir } = walk(fs, base, path, false);
  if (ino === undefined) throw fsError(ERRNO.ENOENT);
  if (fs.getattr(ino).type === "dir") throw fsError(ERRNO.EISDIR);
  if (mustBeDir) throw fsError(ERRNO.ENOTDIR);
  fs.unlink(dir, name);
}

/** linkat(2); neither side is followed. */
export function linkAt(fs: InodeFs, from: Base, path: ByteString, to: Base, toPath: ByteString): void {
  const ino = inodeAt(fs, from, path, false);
  const target = walk(fs, to, toPath, false);
  if (target.ino !== undefined) throw fsError(ERRNO.EEXIST);
  if (fs.getattr(ino).type === "dir") throw fsError(ERRNO.EPERM);
  if (target.mustBeDir) throw fsError(ERRNO.ENOENT);
  fs.link(ino, target.dir, target.name);
}

/** renameat(2). */
export function renameAt(fs: InodeFs, from: Base, path: ByteString, to: Base, toPath: ByteString): void {
  const source = walk(fs, from, path, false);
  // As the kernel does: both parents are found before the source is looked at.
  const target = walk(fs, to, toPath, false);
  const ino = existing(fs, source);
  if (source.name === "" || target.name === "") throw fsError(ERRNO.EBUSY);
  if (target.mustBeDir && fs.getattr(ino).type !== "dir") throw fsError(ERRNO.ENOTDIR);
  fs.rename(source.dir, source.name, target.dir, target.name, 0);
}

/** symlinkat(2). With part of the filesystem, absolute targets are EPERM: the guest could not follow them, another sandbox might. */
export function symlinkAt(fs: InodeFs, target: ByteString, base: Base, path: ByteString): void {
  if (target === "") throw fsError(ERRNO.ENOENT);
  if (target.startsWith("/") && base.reach === "beneath") throw fsError(ERRNO.EPERM);
  const place = walk(fs, base, path, false);
  if (place.ino !== undefined) throw fsError(ERRNO.EEXIST);
  if (place.mustBeDir) throw fsError(ERRNO.ENOENT);
  fs.symlink(place.dir, place.name, target);
}
