// DirFs over memfs: stores and images with zero disk access, in tests and browsers. memfs is imported by this folder only.
import type { DirFs } from "@lapstrake/base";
import { toByteString } from "@lapstrake/base";
import { Volume, createFsFromVolume, type IFs } from "memfs";
import { PathDirFs } from "../disk/path-dirfs.ts";
import type { FsPath, SyncFs, SyncStats } from "../disk/sync-fs.ts";

/** An empty directory in memory, or `path` of a memfs filesystem that is given. */
export function openMemDir(fs: IFs = createFsFromVolume(new Volume()), path = "/"): DirFs {
  fs.mkdirSync(path, { recursive: true });
  const root = path === "/" ? "" : toByteString(path.replace(/\/$/, ""));
  return new PathDirFs(syncFs(fs), root, {
    beneath: true,
    mknod: false,
    xattrs: false,
    chown: true,
    nanoseconds: false,
    rawNames: false,
    durable: false,
  });
}

function text(path: FsPath): string {
  if (typeof path !== "string") throw new TypeError("memfs paths are text");
  return path === "" ? "/" : path;
}

function syncFs(fs: IFs): SyncFs {
  const { constants } = fs;
  return {
    lstat: (at) => fs.lstatSync(text(at), { bigint: true }) as unknown as SyncStats,
    fstat: (fd) => fs.fstatSync(fd, { bigint: true }) as unknown as SyncStats,
    readdir: (at) => fs.readdirSync(text(at)) as string[],
    mkdir: (at, mode) => fs.mkdirSync(text(at), { mode }),
    open: (at, flags, mode) => fs.openSync(text(at), flags, mode),
    read: (fd, into, offset, length, position) =>
      fs.readSync(fd, into, offset, length, position ?? (null as unknown as number)),
    write: (fd, from, offset, length, position) => fs.writeSync(fd, from, offset, length, position ?? undefined),
    ftruncate: (fd, size) => fs.ftruncateSync(fd, size),
    fsync: (fd) => fs.fsyncSync(fd),
    close: (fd) => fs.closeSync(fd),
    readlink: (at) => fs.readlinkSync(text(at)) as string,
    symlink: (target, at) => fs.symlinkSync(text(target), text(at)),
    link: (existing, at) => fs.linkSync(text(existing), text(at)),
    unlink: (at) => fs.unlinkSync(text(at)),
    rmdir: (at) => fs.rmdirSync(text(at)),
    rename: (from, to) => fs.renameSync(text(from), text(to)),
    chmod: (at, mode) => fs.chmodSync(text(at), mode),
    lchown: (at, uid, gid) => fs.lchownSync(text(at), uid, gid),
    lutimes: (at, atime, mtime) => fs.lutimesSync(text(at), atime, mtime),
    flags: {
      read: constants.O_RDONLY,
      write: constants.O_WRONLY,
      readWrite: constants.O_RDWR,
      append: constants.O_APPEND,
      create: constants.O_CREAT,
      exclusive: constants.O_EXCL,
      truncate: constants.O_TRUNC,
      // memfs has neither flag; nobody else is in this filesystem, and every path is checked before it is opened.
      noFollow: 0,
      directory: 0,
    },
  };
}
