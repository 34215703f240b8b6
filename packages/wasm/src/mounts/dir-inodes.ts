// A directory of the machine as an InodeFs: what `-v` mounts into a guest's filesystem. Every call goes through a DirFs, which
// resolves beneath a descriptor and follows no link (openat2), so a guest, or somebody swapping names meanwhile, cannot leave it.
import { ERRNO, errorCode, fsError, type ByteString, type DirFs, type FileStat, type FileType } from "@lapstrake/base";
import {
  OPEN,
  RENAME,
  type Attr,
  type AttrChange,
  type DirItem,
  type FsChange,
  type FsUsage,
  type Handle,
  type Ino,
  type InodeFs,
} from "@lapstrake/layers";
import { DirHandles } from "./dir-handles.ts";
import { PathTable } from "./path-table.ts";

/** How a directory is shared. */
export interface DirInodesOptions {
  /** Every change fails with EROFS. */
  readonly readOnly?: boolean;
  /** Only this name of the directory, a file, is shared: it is the root. */
  readonly only?: ByteString;
}

const UNKNOWN = 2 ** 40;

export class DirInodes implements InodeFs {
  readonly root: Ino;
  readonly readOnly: boolean;
  readonly #dir: DirFs;
  readonly #paths: PathTable;
  readonly #handles = new DirHandles();
  readonly #listeners = new Set<(change: FsChange) => void>();

  /** `dir` stays the caller's to close. */
  constructor(dir: DirFs, options: DirInodesOptions = {}) {
    this.#dir = dir;
    this.#paths = new PathTable(options.only);
    this.root = this.#paths.root;
    this.readOnly = options.readOnly === true;
  }

  lookup(dir: Ino, name: ByteString): number {
    const path = this.#paths.path(dir);
    if (name === ".") return dir;
    if (name === "..") return this.#paths.parent(dir);
    if (name.length > 255) return -ERRNO.ENAMETOOLONG;
    const at = this.#paths.join(path, name);
    try {
      if (this.#dir.stat(at) !== undefined) return this.#paths.ino(dir, name);
      return this.#dir.stat(path)?.type === "dir" ? -ERRNO.ENOENT : -ERRNO.ENOTDIR;
    } catch (error) {
      if (errorCode(error) === "ENOTDIR") return -ERRNO.ENOTDIR;
      throw error;
    }
  }

  getattr(ino: Ino): Attr {
    return attrOf(ino, this.#stat(ino));
  }

  /** An unlinked file is still there for who has it open. */
  #stat(ino: Ino): FileStat {
    const open = this.#handles.fileOf(ino);
    const stat = open?.stat() ?? this.#dir.stat(this.#paths.path(ino));
    if (stat === undefined) throw fsError(ERRNO.ENOENT);
    return stat;
  }

  setattr(ino: Ino, change: AttrChange): Attr {
    this.#mayChange();
    const path = this.#paths.path(ino);
    if (change.size !== undefined) this.#resize(ino, change.size);
    if (change.mode !== undefined) this.#dir.chmod(path, change.mode);
    const stat = this.#stat(ino);
    if (change.uid !== undefined || change.gid !== undefined) {
      this.#dir.chown(path, change.uid ?? stat.uid, change.gid ?? stat.gid);
    }
    if (change.atimeSec !== undefined || change.mtimeSec !== undefined) {
      const atime = change.atimeSec === undefined ? stat.atime : { sec: change.atimeSec, nsec: change.atimeNsec ?? 0 };
      const mtime = change.mtimeSec === undefined ? stat.mtime : { sec: change.mtimeSec, nsec: change.mtimeNsec ?? 0 };
      this.#dir.utimes(path, atime, mtime);
    }
    this.#emit("attrib", undefined, "", ino);
    return this.getattr(ino);
  }

  #resize(ino: Ino, size: number): void {
    this.#mustBeFile(ino);
    using file = this.#dir.open(this.#paths.path(ino), { write: true });
    file.truncate(size);
  }

  #mayChange(): void {
    if (this.readOnly) throw fsError(ERRNO.EROFS);
  }

  /** Pipes and devices of the machine are not for guests: opening one may wait for ever, or do something. */
  #mustBeFile(ino: Ino): void {
    const { type } = this.#stat(ino);
    if (type === "dir") throw fsError(ERRNO.EISDIR);
    if (type === "symlink") throw fsError(ERRNO.ELOOP);
    if (type !== "file") throw fsError(ERRNO.ENXIO);
  }

  open(ino: Ino, flags: number): Handle {
    const writes = (flags & (OPEN.write | OPEN.append | OPEN.truncate)) !== 0;
    if (writes) this.#mayChange();
    this.#mustBeFile(ino);
    const file = this.#dir.open(this.#paths.path(ino), {
      read: true,
      write: writes,
      truncate: (flags & OPEN.truncate) !== 0,
    });
    return this.#handles.add({ ino, file, flags });
  }

  create(dir: Ino, name: ByteString, mode: number, flags: number): { ino: Ino; handle: Handle } {
    const path = this.#newPath(dir, name);
    const file = this.#dir.open(path, { read: true, write: true, create: true, exclusive: true, mode });
    const ino = this.#paths.ino(dir, name);
    this.#emit("create", dir, name, ino);
    return { ino, handle: this.#handles.add({ ino, file, flags }) };
  }

  #newPath(dir: Ino, name: ByteString): ByteString {
    this.#mayChange();
    return this.#paths.join(this.#paths.path(dir), name);
  }

  inodeOf(handle: Handle): Ino {
    return this.#handles.get(handle).ino;
  }

  read(handle: Handle, into: Uint8Array, offset: number, length: number, position: number): number {
    const { file, flags } = this.#handles.get(handle);
    if (file === undefined) throw fsError(ERRNO.EISDIR);
    if ((flags & OPEN.read) === 0) throw fsError(ERRNO.EBADF);
    return file.read(into, offset, length, position);
  }

  write(handle: Handle, from: Uint8Array, offset: number, length: number, position: number): number {
    const { file, flags, ino } = this.#handles.get(handle);
    if (file === undefined || (flags & (OPEN.write | OPEN.append)) === 0) throw fsError(ERRNO.EBADF);
    const at = (flags & OPEN.append) === 0 ? position : file.stat().size;
    const count = file.write(from, offset, length, at);
    this.#emit("modify", undefined, "", ino);
    return count;
  }

  close(handle: Handle): void {
    this.#handles.remove(handle)?.close();
  }

  opendir(ino: Ino): Handle {
    if (this.#stat(ino).type !== "dir") throw fsError(ERRNO.ENOTDIR);
    return this.#handles.add({ ino, file: undefined, flags: 0 });
  }

  readdir(handle: Handle, cookie: number, max: number): DirItem[] {
    const open = this.#handles.get(handle);
    if (cookie === 0 || open.names === undefined) {
      open.names = this.#dir.readdir(this.#paths.path(open.ino)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    }
    return open.names.slice(cookie, cookie + max).map((entry, index) => ({
      name: entry.name,
      ino: this.#paths.ino(open.ino, entry.name),
      type: entry.type ?? this.#typeOf(open.ino, entry.name),
      cookie: cookie + index + 1,
    }));
  }

  #typeOf(dir: Ino, name: ByteString): FileType {
    return this.#dir.stat(this.#paths.join(this.#paths.path(dir), name))?.type ?? "file";
  }

  mkdir(dir: Ino, name: ByteString, mode: number): Ino {
    this.#dir.mkdir(this.#newPath(dir, name), mode);
    return this.#made(dir, name);
  }

  #made(dir: Ino, name: ByteString): Ino {
    const ino = this.#paths.ino(dir, name);
    this.#emit("create", dir, name, ino);
    return ino;
  }

  symlink(dir: Ino, name: ByteString, target: ByteString): Ino {
    this.#dir.symlink(target, this.#newPath(dir, name));
    return this.#made(dir, name);
  }

  readlink(ino: Ino): ByteString {
    return this.#dir.readlink(this.#paths.path(ino));
  }

  link(ino: Ino, dir: Ino, name: ByteString): void {
    if (this.#stat(ino).type === "dir") throw fsError(ERRNO.EPERM);
    this.#dir.link(this.#paths.path(ino), this.#newPath(dir, name));
    this.#made(dir, name);
  }

  /** Guests make no devices on the machine. */
  mknod(): Ino {
    throw fsError(ERRNO.EPERM);
  }

  unlink(dir: Ino, name: ByteString): void {
    this.#dir.unlink(this.#newPath(dir, name));
    this.#removed(dir, name);
  }

  rmdir(dir: Ino, name: ByteString): void {
    this.#dir.rmdir(this.#newPath(dir, name));
    this.#removed(dir, name);
  }

  #removed(dir: Ino, name: ByteString): void {
    this.#emit("delete", dir, name, this.#paths.forget(dir, name));
  }

  rename(fromDir: Ino, fromName: ByteString, toDir: Ino, toName: ByteString, flags: number): void {
    if ((flags & RENAME.exchange) !== 0) throw fsError(ERRNO.EINVAL);
    const to = this.#newPath(toDir, toName);
    const from = this.#paths.join(this.#paths.path(fromDir), fromName);
    this.#dir.rename(from, to, { noReplace: (flags & RENAME.noReplace) !== 0 });
    const ino = this.#paths.move(fromDir, fromName, toDir, toName);
    this.#emit("rename", toDir, toName, ino);
  }

  listXattrs(ino: Ino): ByteString[] {
    return this.#dir.listXattrs(this.#paths.path(ino));
  }

  getXattr(ino: Ino, name: ByteString): Uint8Array | undefined {
    return this.#dir.getXattr(this.#paths.path(ino), name);
  }

  setXattr(ino: Ino, name: ByteString, value: Uint8Array, _flags: number): void {
    this.#mayChange();
    this.#dir.setXattr(this.#paths.path(ino), name, value);
  }

  removeXattr(ino: Ino, name: ByteString): void {
    this.#mayChange();
    this.#dir.removeXattr(this.#paths.path(ino), name);
  }

  fsync(handle: Handle): void {
    const { file, ino } = this.#handles.get(handle);
    if (file !== undefined) file.fsync();
    else if (ino === this.root) this.#dir.fsync();
  }

  /** DirFs tells no sizes: there is room until the kernel says ENOSPC. */
  statfs(): FsUsage {
    return { totalBytes: UNKNOWN, freeBytes: UNKNOWN, totalInodes: UNKNOWN, freeInodes: UNKNOWN };
  }

  /** Changes made through this object; what others do on the machine is not seen. */
  watch(listener: (change: FsChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #emit(kind: FsChange["kind"], dir: Ino | undefined, name: ByteString, ino: Ino): void {
    for (const listener of this.#listeners) listener({ kind, dir: dir ?? 0, name, ino });
  }
}

function attrOf(ino: Ino, stat: FileStat): Attr {
  return {
    ino,
    type: stat.type,
    mode: stat.mode,
    nlink: stat.nlink,
    uid: stat.uid,
    gid: stat.gid,
    rdevMajor: stat.rdevMajor,
    rdevMinor: stat.rdevMinor,
    size: stat.size,
    blocks: stat.blocks,
    atimeSec: stat.atime.sec,
    atimeNsec: stat.atime.nsec,
    mtimeSec: stat.mtime.sec,
    mtimeNsec: stat.mtime.nsec,
    ctimeSec: stat.ctime.sec,
    ctimeNsec: stat.ctime.nsec,
  };
}
