// DirFs over any InodeFs: the stores, extraction and the contract suite run on a filesystem in memory through the same port.
import {
  ERRNO,
  fsError,
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
import { OPEN, RENAME, type Attr, type Handle, type Ino, type InodeFs } from "./inode-fs.ts";

/** A directory of `fs`, by default its root, as a {@link DirFs}. */
export function dirFsOf(fs: InodeFs, dir: Ino = fs.root): DirFs {
  return new InodeDirFs(fs, dir);
}

const FEATURES: DirFsFeatures = {
  beneath: true,
  mknod: true,
  xattrs: true,
  chown: true,
  nanoseconds: true,
  rawNames: true,
  durable: false,
};

class InodeDirFs implements DirFs {
  readonly features: DirFsFeatures = FEATURES;
  readonly fd: undefined = undefined;
  readonly #fs: InodeFs;
  readonly #dir: Ino;

  constructor(fs: InodeFs, dir: Ino) {
    this.#fs = fs;
    this.#dir = dir;
  }

  /** Directory and last name of a path; no link is followed. */
  #parent(path: ByteString): { dir: Ino; name: ByteString } {
    const parts = path.split("/");
    const name = parts.pop()!;
    let dir = this.#dir;
    for (const part of parts) dir = this.#enter(dir, part);
    if (name === "" || name === "." || name === "..") throw fsError(ERRNO.EINVAL);
    return { dir, name };
  }

  #enter(dir: Ino, name: ByteString): Ino {
    if (name === "" || name === "." || name === "..") throw fsError(ERRNO.EINVAL);
    const ino = positive(this.#fs.lookup(dir, name));
    const { type } = this.#fs.getattr(ino);
    if (type === "symlink") throw fsError(ERRNO.ELOOP);
    if (type !== "dir") throw fsError(ERRNO.ENOTDIR);
    return ino;
  }

  #ino(path: ByteString): Ino {
    if (path === "") return this.#dir;
    const { dir, name } = this.#parent(path);
    return positive(this.#fs.lookup(dir, name));
  }

  openDir(path: ByteString): DirFs {
    if (path === "") return new InodeDirFs(this.#fs, this.#dir);
    const { dir, name } = this.#parent(path);
    return new InodeDirFs(this.#fs, this.#enter(dir, name));
  }

  stat(path: ByteString): FileStat | undefined {
    if (path === "") return statOf(this.#fs.getattr(this.#dir));
    let dir = this.#dir;
    const parts = path.split("/");
    for (const [i, part] of parts.entries()) {
      const ino = this.#fs.lookup(dir, part);
      if (ino === -ERRNO.ENOENT) return undefined;
      if (i < parts.length - 1 && this.#fs.getattr(positive(ino)).type === "symlink") throw fsError(ERRNO.ELOOP);
      dir = positive(ino);
    }
    return statOf(this.#fs.getattr(dir));
  }

  readdir(path: ByteString): DirEntry[] {
    const handle = this.#fs.opendir(this.#ino(path));
    try {
      return this.#fs.readdir(handle, 0, Number.MAX_SAFE_INTEGER).map(({ name, type }) => ({ name, type }));
    } finally {
      this.#fs.close(handle);
    }
  }

  mkdir(path: ByteString, mode = 0o777): void {
    const { dir, name } = this.#parent(path);
    this.#fs.mkdir(dir, name, mode);
  }

  open(path: ByteString, options: OpenOptions): FileHandle {
    const { dir, name } = this.#parent(path);
    const flags = openFlags(options);
    const found = this.#fs.lookup(dir, name);
    if (found > 0) {
      if (options.create === true && options.exclusive === true) throw fsError(ERRNO.EEXIST);
      return new InodeFile(this.#fs, this.#fs.open(found, flags));
    }
    if (found !== -ERRNO.ENOENT || options.create !== true) throw fsError(-found);
    return new InodeFile(this.#fs, this.#fs.create(dir, name, options.mode ?? 0o644, flags).handle);
  }

  readlink(path: ByteString): ByteString {
    return this.#fs.readlink(this.#ino(path));
  }

  symlink(target: ByteString, path: ByteString): void {
    const { dir, name } = this.#parent(path);
    this.#fs.symlink(dir, name, target);
  }

  link(existing: ByteString, path: ByteString): void {
    const source = this.#parent(existing);
    const { dir, name } = this.#parent(path);
    this.#fs.link(positive(this.#fs.lookup(source.dir, source.name)), dir, name);
  }

  mknod(path: ByteString, type: FileType, mode: number, major: number, minor: number): void {
    const { dir, name } = this.#parent(path);
    this.#fs.mknod(dir, name, type, mode, major, minor);
  }

  unlink(path: ByteString): void {
    const { dir, name } = this.#parent(path);
    this.#fs.unlink(dir, name);
  }

  rmdir(path: ByteString): void {
    const { dir, name } = this.#parent(path);
    this.#fs.rmdir(dir, name);
  }

  rename(
    from: ByteString,
    to: ByteString,
    options: { readonly toDir?: DirFs; readonly noReplace?: boolean } = {},
  ): void {
    const into = options.toDir ?? this;
    if (!(into instanceof InodeDirFs) || into.#fs !== this.#fs) throw fsError(ERRNO.EXDEV);
    const source = this.#parent(from);
    const target = into.#parent(to);
    this.#fs.rename(
      source.dir,
      source.name,
      target.dir,
      target.name,
      options.noReplace === true ? RENAME.noReplace : 0,
    );
  }

  chmod(path: ByteString, mode: number): void {
    const ino = this.#ino(path);
    if (this.#fs.getattr(ino).type === "symlink") throw fsError(ERRNO.EOPNOTSUPP);
    this.#fs.setattr(ino, { mode });
  }

  chown(path: ByteString, uid: number, gid: number): void {
    this.#fs.setattr(this.#ino(path), { uid, gid });
  }

  utimes(path: ByteString, atime: Timespec, mtime: Timespec): void {
    const change = { atimeSec: atime.sec, atimeNsec: atime.nsec, mtimeSec: mtime.sec, mtimeNsec: mtime.nsec };
    this.#fs.setattr(this.#ino(path), change);
  }

  listXattrs(path: ByteString): ByteString[] {
    return this.#fs.listXattrs(this.#ino(path));
  }

  getXattr(path: ByteString, name: ByteString): Uint8Array | undefined {
    return this.#fs.getXattr(this.#ino(path), name);
  }

  setXattr(path: ByteString, name: ByteString, value: Uint8Array): void {
    this.#fs.setXattr(this.#ino(path), name, value, 0);
  }

  removeXattr(path: ByteString, name: ByteString): void {
    this.#fs.removeXattr(this.#ino(path), name);
  }

  /** Nothing to sync: it is memory. */
  fsync(): void {
    this.#fs.getattr(this.#dir);
  }

  syncfs(): void {
    this.fsync();
  }

  close(): void {
    // No handle is held: the inode lives in the filesystem.
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class InodeFile implements FileHandle {
  readonly fd: undefined = undefined;
  readonly #fs: InodeFs;
  #handle: Handle;
  #position = 0;

  constructor(fs: InodeFs, handle: Handle) {
    this.#fs = fs;
    this.#handle = handle;
  }

  stat(): FileStat {
    return statOf(this.#fs.getattr(this.#fs.inodeOf(this.#handle)));
  }

  read(into: Uint8Array, offset: number, length: number, position?: number): number {
    const count = this.#fs.read(this.#handle, into, offset, length, position ?? this.#position);
    if (position === undefined) this.#position += count;
    return count;
  }

  write(from: Uint8Array, offset: number, length: number, position?: number): number {
    let at = position ?? this.#position;
    for (let done = 0; done < length;) {
      const count = this.#fs.write(this.#handle, from, offset + done, length - done, at);
      done += count;
      at += count;
    }
    if (position === undefined) this.#position = at;
    return length;
  }

  truncate(size: number): void {
    this.#fs.setattr(this.#fs.inodeOf(this.#handle), { size });
  }

  fsync(): void {
    this.#fs.fsync(this.#handle);
  }

  close(): void {
    if (this.#handle === 0) return;
    this.#fs.close(this.#handle);
    this.#handle = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function openFlags(options: OpenOptions): number {
  const read = options.read === true || options.write !== true;
  return (
    (read ? OPEN.read : 0) |
    (options.write === true ? OPEN.write : 0) |
    (options.append === true ? OPEN.append : 0) |
    (options.truncate === true ? OPEN.truncate : 0)
  );
}

function positive(ino: number): Ino {
  if (ino < 0) throw fsError(-ino);
  return ino;
}

function statOf(attr: Attr): FileStat {
  return {
    type: attr.type,
    mode: attr.mode,
    uid: attr.uid,
    gid: attr.gid,
    size: attr.size,
    nlink: attr.nlink,
    ino: attr.ino,
    dev: 0,
    rdevMajor: attr.rdevMajor,
    rdevMinor: attr.rdevMinor,
    blocks: attr.blocks,
    atime: { sec: attr.atimeSec, nsec: attr.atimeNsec },
    mtime: { sec: attr.mtimeSec, nsec: attr.mtimeNsec },
    ctime: { sec: attr.ctimeSec, nsec: attr.ctimeNsec },
  };
}
