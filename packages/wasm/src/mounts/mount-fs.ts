// Several filesystems as one: a root and what is mounted on its directories (volumes, tmpfs), as mount(2) would show it.
// An inode or handle of part i is numbered number * COUNT + i, so that parts need not know of each other.
import { ERRNO, LapError, fromByteString, fsError, type ByteString, type FileType } from "@lapstrake/base";
import {
  resolvePath,
  type Attr,
  type AttrChange,
  type DirItem,
  type FsChange,
  type FsUsage,
  type Handle,
  type Ino,
  type InodeFs,
} from "@lapstrake/layers";

/** A filesystem and the absolute path of the directory, or of the file if its root is one, that it hides. */
export interface Mount {
  readonly path: ByteString;
  readonly fs: InodeFs;
}

/** Most mounts, root included. */
const COUNT = 64;

export class MountFs implements InodeFs {
  readonly root: Ino;
  readonly readOnly: boolean;
  readonly #parts: InodeFs[];
  /** Covered directory -> root of the part on it, and back. */
  readonly #covers = new Map<Ino, Ino>();
  readonly #covered = new Map<Ino, Ino>();

  /** Mounts in this order: a later one may stand on an earlier one. Throws when a path is no directory. */
  constructor(root: InodeFs, mounts: readonly Mount[]) {
    if (mounts.length >= COUNT) {
      throw new LapError("resourceExhausted", "ERR_LAP_WASM_MOUNT", `more than ${COUNT - 1} mounts`);
    }
    this.#parts = [root];
    this.root = this.#number(0, root.root);
    this.readOnly = root.readOnly;
    for (const mount of mounts) this.#mount(mount);
  }

  #mount({ path, fs }: Mount): void {
    const found = resolvePath(this, this.root, path);
    const wanted = fs.getattr(fs.root).type === "dir" ? "dir" : "file";
    if (typeof found === "number" || found.ino === 0 || this.getattr(found.ino).type !== wanted) {
      const what = wanted === "dir" ? "directory" : "file";
      throw new LapError("notFound", "ERR_LAP_WASM_MOUNT", `"${fromByteString(path)}" is no ${what} to mount on`, {
        hint: "create it in a layer, or mount elsewhere",
      });
    }
    const top = this.#number(this.#parts.length, fs.root);
    this.#parts.push(fs);
    this.#covers.set(found.ino, top);
    this.#covered.set(top, found.ino);
  }

  #number(part: number, local: number): number {
    return local * COUNT + part;
  }

  #part(number: number): InodeFs {
    const part = this.#parts[number % COUNT];
    if (part === undefined) throw fsError(ERRNO.ESTALE);
    return part;
  }

  #local(number: number): number {
    return Math.floor(number / COUNT);
  }

  /** Both in one part, or EXDEV. */
  #same(a: Ino, b: Ino): InodeFs {
    if (a % COUNT !== b % COUNT) throw fsError(ERRNO.EXDEV);
    return this.#part(a);
  }

  /** A covered directory is in use. */
  #notCovered(dir: Ino, name: ByteString): void {
    const local = this.#part(dir).lookup(this.#local(dir), name);
    if (local > 0 && this.#covers.has(this.#number(dir % COUNT, local))) throw fsError(ERRNO.EBUSY);
  }

  lookup(dir: Ino, name: ByteString): number {
    if (name === "..") {
      const below = this.#covered.get(dir);
      if (below !== undefined) return this.lookup(below, "..");
    }
    const local = this.#part(dir).lookup(this.#local(dir), name);
    if (local < 0) return local;
    const found = this.#number(dir % COUNT, local);
    return this.#covers.get(found) ?? found;
  }

  getattr(ino: Ino): Attr {
    return { ...this.#part(ino).getattr(this.#local(ino)), ino };
  }

  setattr(ino: Ino, change: AttrChange): Attr {
    return { ...this.#part(ino).setattr(this.#local(ino), change), ino };
  }

  open(ino: Ino, flags: number): Handle {
    return this.#number(ino % COUNT, this.#part(ino).open(this.#local(ino), flags));
  }

  create(dir: Ino, name: ByteString, mode: number, flags: number): { ino: Ino; handle: Handle } {
    const { ino, handle } = this.#part(dir).create(this.#local(dir), name, mode, flags);
    return { ino: this.#number(dir % COUNT, ino), handle: this.#number(dir % COUNT, handle) };
  }

  inodeOf(handle: Handle): Ino {
    return this.#number(handle % COUNT, this.#part(handle).inodeOf(this.#local(handle)));
  }

  read(handle: Handle, into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#part(handle).read(this.#local(handle), into, offset, length, position);
  }

  write(handle: Handle, from: Uint8Array, offset: number, length: number, position: number): number {
    return this.#part(handle).write(this.#local(handle), from, offset, length, position);
  }

  close(handle: Handle): void {
    this.#part(handle).close(this.#local(handle));
  }

  opendir(ino: Ino): Handle {
    return this.#number(ino % COUNT, this.#part(ino).opendir(this.#local(ino)));
  }

  readdir(handle: Handle, cookie: number, max: number): DirItem[] {
    return this.#part(handle)
      .readdir(this.#local(handle), cookie, max)
      .map((item) => {
        const found = this.#number(handle % COUNT, item.ino);
        return { ...item, ino: this.#covers.get(found) ?? found };
      });
  }

  mkdir(dir: Ino, name: ByteString, mode: number): Ino {
    return this.#number(dir % COUNT, this.#part(dir).mkdir(this.#local(dir), name, mode));
  }

  symlink(dir: Ino, name: ByteString, target: ByteString): Ino {
    return this.#number(dir % COUNT, this.#part(dir).symlink(this.#local(dir), name, target));
  }

  readlink(ino: Ino): ByteString {
    return this.#part(ino).readlink(this.#local(ino));
  }

  link(ino: Ino, dir: Ino, name: ByteString): void {
    this.#same(ino, dir).link(this.#local(ino), this.#local(dir), name);
  }

  mknod(dir: Ino, name: ByteString, type: FileType, mode: number, rdevMajor: number, rdevMinor: number): Ino {
    return this.#number(dir % COUNT, this.#part(dir).mknod(this.#local(dir), name, type, mode, rdevMajor, rdevMinor));
  }

  unlink(dir: Ino, name: ByteString): void {
    this.#notCovered(dir, name);
    this.#part(dir).unlink(this.#local(dir), name);
  }

  rmdir(dir: Ino, name: ByteString): void {
    this.#notCovered(dir, name);
    this.#part(dir).rmdir(this.#local(dir), name);
  }

  rename(fromDir: Ino, fromName: ByteString, toDir: Ino, toName: ByteString, flags: number): void {
    this.#notCovered(fromDir, fromName);
    this.#notCovered(toDir, toName);
    this.#same(fromDir, toDir).rename(this.#local(fromDir), fromName, this.#local(toDir), toName, flags);
  }

  listXattrs(ino: Ino): ByteString[] {
    return this.#part(ino).listXattrs(this.#local(ino));
  }

  getXattr(ino: Ino, name: ByteString): Uint8Array | undefined {
    return this.#part(ino).getXattr(this.#local(ino), name);
  }

  setXattr(ino: Ino, name: ByteString, value: Uint8Array, flags: number): void {
    this.#part(ino).setXattr(this.#local(ino), name, value, flags);
  }

  removeXattr(ino: Ino, name: ByteString): void {
    this.#part(ino).removeXattr(this.#local(ino), name);
  }

  fsync(handle: Handle): void {
    this.#part(handle).fsync(this.#local(handle));
  }

  /** Of the root. */
  statfs(): FsUsage {
    return this.#parts[0]!.statfs();
  }

  watch(listener: (change: FsChange) => void): () => void {
    const stops = this.#parts.map((part, index) =>
      part.watch((change) =>
        listener({ ...change, dir: this.#number(index, change.dir), ino: this.#number(index, change.ino) }),
      ),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }
}
