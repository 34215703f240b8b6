// A root directory with other directories mounted in it, as one DirFs: a container that does not run, with its volumes. The longest
// mount point that a path begins with decides; a mount of a single file is the file in its own directory.
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

/** One mount. */
export interface DirMount {
  /** In the root, without leading slash. */
  readonly at: ByteString;
  readonly dir: DirFs;
  /** What of `dir` is mounted: "" for all, a name for a single file. */
  readonly name: ByteString;
  readonly readOnly: boolean;
}

interface Place {
  readonly dir: DirFs;
  readonly path: ByteString;
  readonly readOnly: boolean;
}

export class MountedDirs implements DirFs {
  readonly features: DirFsFeatures;
  readonly fd: undefined = undefined;
  readonly #root: DirFs;
  readonly #mounts: readonly DirMount[];
  readonly #prefix: ByteString;
  readonly #borrows: boolean;

  /** Owns `root` and the mounts' directories, unless it is the directory `prefix` of another one. */
  constructor(root: DirFs, mounts: readonly DirMount[], prefix?: ByteString) {
    this.features = root.features;
    this.#root = root;
    this.#borrows = prefix !== undefined;
    this.#mounts = mounts.toSorted((a, b) => b.at.length - a.at.length);
    this.#prefix = prefix ?? "";
  }

  #place(path: ByteString): Place {
    const full = join(this.#prefix, path);
    for (const { at, dir, name, readOnly } of this.#mounts) {
      if (full === at) return { dir, path: name, readOnly };
      if (full.startsWith(`${at}/`)) {
        if (name !== "") throw fsError(ERRNO.ENOTDIR);
        return { dir, path: full.slice(at.length + 1), readOnly };
      }
    }
    return { dir: this.#root, path: full, readOnly: false };
  }

  #writable(path: ByteString): Place {
    const place = this.#place(path);
    if (place.readOnly) throw fsError(ERRNO.EROFS);
    return place;
  }

  /** For what a mount point itself cannot have done to it. */
  #entry(path: ByteString): Place {
    const full = join(this.#prefix, path);
    if (this.#mounts.some(({ at }) => at === full)) throw fsError(ERRNO.EBUSY);
    return this.#writable(path);
  }

  openDir(path: ByteString): DirFs {
    const { dir, path: inner } = this.#place(path);
    dir.openDir(inner).close();
    return new MountedDirs(this.#root, this.#mounts, join(this.#prefix, path));
  }

  stat(path: ByteString): FileStat | undefined {
    const { dir, path: inner } = this.#place(path);
    return dir.stat(inner);
  }

  readdir(path: ByteString): DirEntry[] {
    const { dir, path: inner } = this.#place(path);
    return dir.readdir(inner);
  }

  mkdir(path: ByteString, mode?: number): void {
    const { dir, path: inner } = this.#entry(path);
    dir.mkdir(inner, mode);
  }

  open(path: ByteString, options: OpenOptions): FileHandle {
    const writes = options.write === true || options.append === true || options.create === true;
    const { dir, path: inner } = writes ? this.#writable(path) : this.#place(path);
    return dir.open(inner, options);
  }

  readlink(path: ByteString): ByteString {
    const { dir, path: inner } = this.#place(path);
    return dir.readlink(inner);
  }

  symlink(target: ByteString, path: ByteString): void {
    const { dir, path: inner } = this.#entry(path);
    dir.symlink(target, inner);
  }

  link(existing: ByteString, path: ByteString): void {
    const from = this.#entry(existing);
    const to = this.#entry(path);
    if (from.dir !== to.dir) throw fsError(ERRNO.EXDEV);
    to.dir.link(from.path, to.path);
  }

  mknod(path: ByteString, type: FileType, mode: number, major: number, minor: number): void {
    const { dir, path: inner } = this.#entry(path);
    dir.mknod(inner, type, mode, major, minor);
  }

  unlink(path: ByteString): void {
    const { dir, path: inner } = this.#entry(path);
    dir.unlink(inner);
  }

  rmdir(path: ByteString): void {
    const { dir, path: inner } = this.#entry(path);
    dir.rmdir(inner);
  }

  rename(from: ByteString, to: ByteString, options: Parameters<DirFs["rename"]>[2] = {}): void {
    const { toDir, noReplace } = options;
    if (toDir !== undefined && toDir !== this) throw fsError(ERRNO.EXDEV);
    const source = this.#entry(from);
    const target = this.#entry(to);
    if (source.dir !== target.dir) throw fsError(ERRNO.EXDEV);
    source.dir.rename(source.path, target.path, noReplace === true ? { noReplace } : {});
  }

  chmod(path: ByteString, mode: number): void {
    const { dir, path: inner } = this.#writable(path);
    dir.chmod(inner, mode);
  }

  chown(path: ByteString, uid: number, gid: number): void {
    const { dir, path: inner } = this.#writable(path);
    dir.chown(inner, uid, gid);
  }

  utimes(path: ByteString, atime: Timespec, mtime: Timespec): void {
    const { dir, path: inner } = this.#writable(path);
    dir.utimes(inner, atime, mtime);
  }

  listXattrs(path: ByteString): ByteString[] {
    const { dir, path: inner } = this.#place(path);
    return dir.listXattrs(inner);
  }

  getXattr(path: ByteString, name: ByteString): Uint8Array | undefined {
    const { dir, path: inner } = this.#place(path);
    return dir.getXattr(inner, name);
  }

  setXattr(path: ByteString, name: ByteString, value: Uint8Array): void {
    const { dir, path: inner } = this.#writable(path);
    dir.setXattr(inner, name, value);
  }

  removeXattr(path: ByteString, name: ByteString): void {
    const { dir, path: inner } = this.#writable(path);
    dir.removeXattr(inner, name);
  }

  fsync(): void {
    this.#root.fsync();
  }

  syncfs(): void {
    this.#root.syncfs();
  }

  close(): void {
    if (this.#borrows) return;
    this.#root.close();
    for (const { dir } of this.#mounts) dir.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function join(dir: ByteString, name: ByteString): ByteString {
  if (dir === "") return name;
  return name === "" ? dir : `${dir}/${name}`;
}
