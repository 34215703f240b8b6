// The part of node:fs that a path-based DirFs needs: node:fs and memfs both have it. Types only, so that this room imports neither.

/** A path as bytes (node:fs) or text (memfs). */
export type FsPath = Uint8Array | string;

export interface SyncStats {
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly size: bigint;
  readonly nlink: bigint;
  readonly ino: bigint;
  readonly dev: bigint;
  readonly rdev: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Synchronous calls, Node's names and errors. Times are seconds. */
export interface SyncFs {
  lstat(path: FsPath): SyncStats;
  fstat(fd: number): SyncStats;
  /** Names as bytes, or text. */
  readdir(path: FsPath): FsPath[];
  mkdir(path: FsPath, mode: number): void;
  open(path: FsPath, flags: number, mode: number): number;
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number | null): number;
  write(fd: number, from: Uint8Array, offset: number, length: number, position: number | null): number;
  ftruncate(fd: number, size: number): void;
  fsync(fd: number): void;
  close(fd: number): void;
  readlink(path: FsPath): FsPath;
  symlink(target: FsPath, path: FsPath): void;
  link(existing: FsPath, path: FsPath): void;
  unlink(path: FsPath): void;
  rmdir(path: FsPath): void;
  rename(from: FsPath, to: FsPath): void;
  chmod(path: FsPath, mode: number): void;
  lchown(path: FsPath, uid: number, gid: number): void;
  lutimes(path: FsPath, atimeSec: number, mtimeSec: number): void;
  /** O_* of open(2) on this system. */
  readonly flags: {
    readonly read: number;
    readonly write: number;
    readonly readWrite: number;
    readonly append: number;
    readonly create: number;
    readonly exclusive: number;
    readonly truncate: number;
    /** 0 where there is none: links are then looked for before. */
    readonly noFollow: number;
    readonly directory: number;
  };
}
