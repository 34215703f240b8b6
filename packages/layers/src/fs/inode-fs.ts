// The inode- and handle-based filesystem interface that everything above the union stands on: the node:fs facades, the
// WASI hosts, diff and the contract suite. Synchronous; names are ByteStrings; hot paths take and give plain numbers.
import type { ByteString, FileType } from "@lapstrake/base";

/** An inode number: positive, stable while the filesystem lives, never reused. */
export type Ino = number;

/** A handle of an open file or directory: positive, reused after close. */
export type Handle = number;

/** stat(2) of an inode. Times are seconds (may be negative) and nanoseconds 0..999999999. Sizes in bytes. */
export interface Attr {
  ino: Ino;
  type: FileType;
  /** mode & 0o7777. */
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdevMajor: number;
  rdevMinor: number;
  size: number;
  /** 512-byte blocks. */
  blocks: number;
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
  ctimeSec: number;
  ctimeNsec: number;
}

/** What setattr changes; absent fields stay. `size` truncates or extends a regular file. */
export interface AttrChange {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly atimeSec?: number;
  readonly atimeNsec?: number;
  readonly mtimeSec?: number;
  readonly mtimeNsec?: number;
}

/** open() flags, a bit set. Creation is `create()`, not a flag. */
export const OPEN = { read: 1, write: 2, append: 4, truncate: 8 } as const;

/** rename() flags: renameat2(2). */
export const RENAME = { noReplace: 1, exchange: 2 } as const;

/** One entry of readdir; pass `cookie` to continue after it. Cookies stay valid while the handle is open. */
export interface DirItem {
  readonly name: ByteString;
  readonly ino: Ino;
  readonly type: FileType;
  readonly cookie: number;
}

/** statfs(2); sizes in bytes. */
export interface FsUsage {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly totalInodes: number;
  readonly freeInodes: number;
}

/** One change, as a watcher sees it. */
export interface FsChange {
  readonly kind: "create" | "modify" | "attrib" | "delete" | "rename";
  readonly dir: Ino;
  readonly name: ByteString;
  readonly ino: Ino;
}

/**
 * A filesystem. Failures throw frozen FsErrors of base (`code`, negative `errno`, no stack); `lookup` instead returns the
 * negative errno, because a miss is an answer. `name` is one component: never empty, ".", ".." or with "/" or NUL (EINVAL).
 * An inode lives while it has a name or an open handle.
 */
export interface InodeFs {
  readonly root: Ino;
  readonly readOnly: boolean;
  /** Inode of a name, or -ENOENT, -ENOTDIR. "." and ".." are answered too; ".." of the root is the root. */
  lookup(dir: Ino, name: ByteString): number;
  getattr(ino: Ino): Attr;
  setattr(ino: Ino, change: AttrChange): Attr;
  /** Opens a regular file; EISDIR for a directory opened for writing, ENXIO/ENODEV for device files. */
  open(ino: Ino, flags: number): Handle;
  /** Creates and opens a regular file: EEXIST when the name exists. */
  create(dir: Ino, name: ByteString, mode: number, flags: number): { ino: Ino; handle: Handle };
  /** Inode behind a handle of open(), create() or opendir(). */
  inodeOf(handle: Handle): Ino;
  /** Bytes read into `into[offset, offset+length)` from file `position`; 0 at the end. */
  read(handle: Handle, into: Uint8Array, offset: number, length: number, position: number): number;
  /** Bytes written; `position` is ignored for append handles. ENOSPC when a quota is reached. */
  write(handle: Handle, from: Uint8Array, offset: number, length: number, position: number): number;
  close(handle: Handle): void;
  opendir(ino: Ino): Handle;
  /** At most `max` items after `cookie` (0 is the start), "." and ".." not included; sorted by name bytes. */
  readdir(handle: Handle, cookie: number, max: number): DirItem[];
  mkdir(dir: Ino, name: ByteString, mode: number): Ino;
  symlink(dir: Ino, name: ByteString, target: ByteString): Ino;
  readlink(ino: Ino): ByteString;
  link(ino: Ino, dir: Ino, name: ByteString): void;
  mknod(dir: Ino, name: ByteString, type: FileType, mode: number, rdevMajor: number, rdevMinor: number): Ino;
  unlink(dir: Ino, name: ByteString): void;
  rmdir(dir: Ino, name: ByteString): void;
  rename(fromDir: Ino, fromName: ByteString, toDir: Ino, toName: ByteString, flags: number): void;
  listXattrs(ino: Ino): ByteString[];
  getXattr(ino: Ino, name: ByteString): Uint8Array | undefined;
  /** `flags`: 1 is XATTR_CREATE, 2 XATTR_REPLACE. */
  setXattr(ino: Ino, name: ByteString, value: Uint8Array, flags: number): void;
  removeXattr(ino: Ino, name: ByteString): void;
  fsync(handle: Handle): void;
  statfs(): FsUsage;
  /** Calls `listener` after each change; returns the function that stops it. */
  watch(listener: (change: FsChange) => void): () => void;
}

/** Who acts: new inodes get these ids; permission checks are not made (the guest is its image's root). */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}
