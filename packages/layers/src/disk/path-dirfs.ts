// DirFs over path-based calls (node:fs, memfs). Every directory on the way is checked not to be a link before a call; that is not
// safe against someone who renames at the same time, and `features.beneath` says so.
import {
  ERRNO,
  errorCode,
  fromByteString,
  systemError,
  toByteString,
  toBytes,
  fromBytes,
  type ByteString,
  type DirEntry,
  type DirFs,
  type DirFsFeatures,
  type FileHandle,
  type FileStat,
  type FileType,
  type OpenOptions,
  type Timespec,
} from "@lapstrake/base";
import { MAX_NAME_BYTES } from "../limits.ts";
import type { FsPath, SyncFs, SyncStats } from "./sync-fs.ts";

const TYPES: Readonly<Record<number, FileType>> = {
  0o010000: "fifo",
  0o020000: "char",
  0o040000: "dir",
  0o060000: "block",
  0o100000: "file",
  0o120000: "symlink",
  0o140000: "socket",
};
const SECOND = 1_000_000_000n;

export class PathDirFs implements DirFs {
  readonly features: DirFsFeatures;
  readonly fd: undefined = undefined;
  readonly #fs: SyncFs;
  /** Path of the directory itself, as bytes. */
  readonly #root: ByteString;

  constructor(fs: SyncFs, root: ByteString, features: DirFsFeatures) {
    this.#fs = fs;
    this.#root = root;
    this.features = features;
  }

  #raw(path: ByteString): FsPath {
    if (this.features.rawNames) return toBytes(path);
    const text = fromByteString(path);
    if (toByteString(text) !== path) throw systemError(ERRNO.EILSEQ, "open", text);
    return text;
  }

  #name(name: FsPath): ByteString {
    return typeof name === "string" ? toByteString(name) : fromBytes(name);
  }

  /** Full path of `path`, after a look at each directory on the way. */
  #full(path: ByteString, call: string): FsPath {
    if (path === "") return this.#raw(this.#root);
    const parts = path.split("/");
    if (parts.some((part) => part === "" || part === "." || part === ".."))
      throw systemError(ERRNO.EINVAL, call, fromByteString(path));
    if (parts.some((part) => part.length > MAX_NAME_BYTES))
      throw systemError(ERRNO.ENAMETOOLONG, call, fromByteString(path));
    let at = this.#root;
    for (const part of parts.slice(0, -1)) {
      at += `/${part}`;
      const type = typeOf(this.#fs.lstat(this.#raw(at)));
      if (type === "symlink") throw systemError(ERRNO.ELOOP, call, fromByteString(path));
      if (type !== "dir") throw systemError(ERRNO.ENOTDIR, call, fromByteString(path));
    }
    return this.#raw(`${at}/${parts.at(-1)!}`);
  }

  openDir(path: ByteString): DirFs {
    const full = this.#full(path, "open");
    const type = typeOf(this.#fs.lstat(full));
    if (type === "symlink") throw systemError(ERRNO.ELOOP, "open", fromByteString(path));
    if (type !== "dir") throw systemError(ERRNO.ENOTDIR, "open", fromByteString(path));
    return new PathDirFs(this.#fs, path === "" ? this.#root : `${this.#root}/${path}`, this.features);
  }

  stat(path: ByteString): FileStat | undefined {
    try {
      return statOf(this.#fs.lstat(this.#full(path, "lstat")));
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  readdir(path: ByteString): DirEntry[] {
    const full = this.#full(path, "scandir");
    if (typeOf(this.#fs.lstat(full)) !== "dir") throw systemError(ERRNO.ENOTDIR, "scandir", fromByteString(path));
    return this.#fs.readdir(full).map((name) => ({ name: this.#name(name), type: undefined }));
  }

  mkdir(path: ByteString, mode = 0o777): void {
    this.#fs.mkdir(this.#full(path, "mkdir"), mode);
  }

  open(path: ByteString, options: OpenOptions): FileHandle {
    const { flags } = this.#fs;
    let bits = options.write === true ? (options.read === true ? flags.readWrite : flags.write) : flags.read;
    if (options.append === true) bits |= flags.append;
    if (options.create === true) bits |= flags.create;
    if (options.exclusive === true) bits |= flags.exclusive;
    if (options.truncate === true) bits |= flags.truncate;
    const full = this.#full(path, "open");
    if (flags.noFollow === 0 && this.stat(path)?.type === "symlink")
      throw systemError(ERRNO.ELOOP, "open", fromByteString(path));
    return new PathFile(this.#fs, this.#fs.open(full, bits | flags.noFollow, options.mode ?? 0o644));
  }

  readlink(path: ByteString): ByteString {
    return this.#name(this.#fs.readlink(this.#full(path, "readlink")));
  }

  symlink(target: ByteString, path: ByteString): void {
    this.#fs.symlink(this.#raw(target), this.#full(path, "symlink"));
  }

  link(existing: ByteString, path: ByteString): void {
    this.#fs.link(this.#full(existing, "link"), this.#full(path, "link"));
  }

  mknod(path: ByteString, _type: FileType, _mode: number, _major: number, _minor: number): void {
    throw systemError(ERRNO.EOPNOTSUPP, "mknod", fromByteString(path));
  }

  unlink(path: ByteString): void {
    this.#fs.unlink(this.#full(path, "unlink"));
  }

  rmdir(path: ByteString): void {
    this.#fs.rmdir(this.#full(path, "rmdir"));
  }

  rename(
    from: ByteString,
    to: ByteString,
    options: { readonly toDir?: DirFs; readonly noReplace?: boolean } = {},
  ): void {
    const into = options.toDir ?? this;
    if (!(into instanceof PathDirFs)) throw systemError(ERRNO.EXDEV, "rename", fromByteString(to));
    if (options.noReplace === true && into.stat(to) !== undefined)
      throw systemError(ERRNO.EEXIST, "rename", fromByteString(to));
    this.#fs.rename(this.#full(from, "rename"), into.#full(to, "rename"));
  }

  chmod(path: ByteString, mode: number): void {
    const full = this.#full(path, "chmod");
    if (typeOf(this.#fs.lstat(full)) === "symlink") throw systemError(ERRNO.EOPNOTSUPP, "chmod", fromByteString(path));
    this.#fs.chmod(full, mode);
  }

  chown(path: ByteString, uid: number, gid: number): void {
    this.#fs.lchown(this.#full(path, "lchown"), uid, gid);
  }

  utimes(path: ByteString, atime: Timespec, mtime: Timespec): void {
    this.#fs.lutimes(this.#full(path, "lutimes"), seconds(atime), seconds(mtime));
  }

  listXattrs(_path: ByteString): ByteString[] {
    return [];
  }

  getXattr(_path: ByteString, _name: ByteString): Uint8Array | undefined {
    return undefined;
  }

  setXattr(path: ByteString, _name: ByteString, _value: Uint8Array): void {
    throw systemError(ERRNO.EOPNOTSUPP, "setxattr", fromByteString(path));
  }

  removeXattr(path: ByteString, _name: ByteString): void {
    throw systemError(ERRNO.EOPNOTSUPP, "removexattr", fromByteString(path));
  }

  fsync(): void {
    const fd = this.#fs.open(this.#raw(this.#root), this.#fs.flags.read | this.#fs.flags.directory, 0);
    try {
      this.#fs.fsync(fd);
    } finally {
      this.#fs.close(fd);
    }
  }

  /** There is no syncfs in Node: the directory is synced, `features.durable` is false. */
  syncfs(): void {
    this.fsync();
  }

  close(): void {
    // Nothing is held open.
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class PathFile implements FileHandle {
  readonly #fs: SyncFs;
  #fd: number;

  constructor(fs: SyncFs, fd: number) {
    this.#fs = fs;
    this.#fd = fd;
  }

  get fd(): number {
    return this.#fd;
  }

  stat(): FileStat {
    return statOf(this.#fs.fstat(this.#fd));
  }

  read(into: Uint8Array, offset: number, length: number, position?: number): number {
    return this.#fs.read(this.#fd, into, offset, length, position ?? null);
  }

  write(from: Uint8Array, offset: number, length: number, position?: number): number {
    for (let done = 0; done < length;) {
      const at = position === undefined ? null : position + done;
      done += this.#fs.write(this.#fd, from, offset + done, length - done, at);
    }
    return length;
  }

  truncate(size: number): void {
    this.#fs.ftruncate(this.#fd, size);
  }

  fsync(): void {
    this.#fs.fsync(this.#fd);
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    this.#fs.close(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function typeOf(stats: SyncStats): FileType {
  return TYPES[Number(stats.mode & 0o170000n)] ?? "file";
}

function seconds({ sec, nsec }: Timespec): number {
  return sec + nsec / 1e9;
}

function timespec(ns: bigint): Timespec {
  const nsec = ((ns % SECOND) + SECOND) % SECOND;
  return { sec: Number((ns - nsec) / SECOND), nsec: Number(nsec) };
}

function statOf(stats: SyncStats): FileStat {
  const type = typeOf(stats);
  const device = type === "char" || type === "block" ? stats.rdev : 0n;
  return {
    type,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    nlink: Number(stats.nlink),
    ino: Number(stats.ino),
    dev: Number(stats.dev),
    rdevMajor: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    rdevMinor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
    blocks: Number(stats.blocks),
    atime: timespec(stats.atimeNs),
    mtime: timespec(stats.mtimeNs),
    ctime: timespec(stats.ctimeNs),
  };
}
