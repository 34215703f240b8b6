// DirFs over memfs: stores and images with zero disk access, in tests and browsers. memfs is imported by this folder only.
import type { DirFs } from "@lapstrake/base";
import { ERRNO, systemError, toByteString } from "@lapstrake/base";
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
    rename: (from, to) => rename(fs, text(from), text(to)),
    chmod: (at, mode) => keepTimes(fs, text(at), () => fs.chmodSync(text(at), mode)),
    lchown: (at, uid, gid) => keepTimes(fs, text(at), () => fs.lchownSync(text(at), uid, gid)),
    lutimes: (at, atime, mtime) => fs.lutimesSync(text(at), String(atime), String(mtime)),
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

/** memfs moves over anything; rename(2) does not. */
function rename(fs: IFs, from: string, to: string): void {
  const source = fs.lstatSync(from) as { isDirectory(): boolean };
  const target = fs.lstatSync(to, { throwIfNoEntry: false }) as { isDirectory(): boolean } | undefined;
  const isDir = source.isDirectory();
  if (isDir && `${to}/`.startsWith(`${from}/`) && to !== from) throw systemError(ERRNO.EINVAL, "rename", from);
  if (target !== undefined) {
    if (isDir && !target.isDirectory()) throw systemError(ERRNO.ENOTDIR, "rename", to);
    if (!isDir && target.isDirectory()) throw systemError(ERRNO.EISDIR, "rename", to);
    if (isDir && fs.readdirSync(to).length > 0) throw systemError(ERRNO.ENOTEMPTY, "rename", to);
    if (isDir) fs.rmdirSync(to);
  }
  fs.renameSync(from, to);
}

/** memfs stamps mtime where only ctime changes. */
function keepTimes(fs: IFs, path: string, change: () => void): void {
  const { atimeMs, mtimeMs } = fs.lstatSync(path) as { atimeMs: number; mtimeMs: number };
  change();
  fs.lutimesSync(path, String(atimeMs / 1000), String(mtimeMs / 1000));
}
