// DirFs over plain node:fs: for tools without the kernel room. No devices, no xattrs, no protection against concurrent renames.
import fs from "node:fs";
import { resolve } from "node:path";
import { toByteString, type DirFs } from "@lapstrake/base";
import { PathDirFs } from "../disk/path-dirfs.ts";
import type { FsPath, SyncFs } from "../disk/sync-fs.ts";

/** Opens an existing directory of this machine. Throws ENOENT, ENOTDIR. */
export function openNodeDir(path: string): DirFs {
  const full = resolve(path);
  fs.readdirSync(full);
  const isRoot = process.getuid?.() === 0;
  return new PathDirFs(NODE_FS, full === "/" ? "" : toByteString(full), {
    beneath: false,
    mknod: false,
    xattrs: false,
    chown: isRoot,
    nanoseconds: false,
    rawNames: true,
    durable: false,
  });
}

function path(value: FsPath): Buffer {
  if (typeof value === "string") return Buffer.from(value);
  return value.length === 0 ? Buffer.from("/") : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

const { constants } = fs;

const NODE_FS: SyncFs = {
  lstat: (at) => fs.lstatSync(path(at), { bigint: true }),
  fstat: (fd) => fs.fstatSync(fd, { bigint: true }),
  readdir: (at) => fs.readdirSync(path(at), { encoding: "buffer" }),
  mkdir: (at, mode) => fs.mkdirSync(path(at), { mode }),
  open: (at, flags, mode) => fs.openSync(path(at), flags, mode),
  read: (fd, into, offset, length, position) => fs.readSync(fd, into, offset, length, position),
  write: (fd, from, offset, length, position) => fs.writeSync(fd, from, offset, length, position),
  ftruncate: (fd, size) => fs.ftruncateSync(fd, size),
  fsync: (fd) => fs.fsyncSync(fd),
  close: (fd) => fs.closeSync(fd),
  readlink: (at) => fs.readlinkSync(path(at), { encoding: "buffer" }),
  symlink: (target, at) => fs.symlinkSync(path(target), path(at)),
  link: (existing, at) => fs.linkSync(path(existing), path(at)),
  unlink: (at) => fs.unlinkSync(path(at)),
  rmdir: (at) => fs.rmdirSync(path(at)),
  rename: (from, to) => fs.renameSync(path(from), path(to)),
  chmod: (at, mode) => fs.chmodSync(path(at), mode),
  lchown: (at, uid, gid) => fs.lchownSync(path(at), uid, gid),
  // As text: Node takes negative numbers for "now".
  lutimes: (at, atime, mtime) => fs.lutimesSync(path(at), String(atime), String(mtime)),
  flags: {
    read: constants.O_RDONLY,
    write: constants.O_WRONLY,
    readWrite: constants.O_RDWR,
    append: constants.O_APPEND,
    create: constants.O_CREAT,
    exclusive: constants.O_EXCL,
    truncate: constants.O_TRUNC,
    noFollow: constants.O_NOFOLLOW,
    directory: constants.O_DIRECTORY,
  },
};
