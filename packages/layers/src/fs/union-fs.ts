// The union filesystem: a mutable upper in memory over merged layers, behind the InodeFs interface. Each operation checks as
// the kernel would, then changes the inode table; what differs from the layers below can be frozen, forked and exported.
import { ERRNO, fsError, type ByteString, type FileType } from "@lapstrake/base";
import { compareBytes } from "../tree/order.ts";
import { mergeLayers, mergeOnto } from "../tree/merge.ts";
import type { LayerTree, MergedTree } from "../tree/node.ts";
import { treeChanges, type Change } from "../tree/changes.ts";
import { treeEntries, type LayerEntry } from "../tree/entries.ts";
import { adoptTree } from "./adopt.ts";
import { dropCapability, removeXattr, setXattr, setattr, truncate } from "./attributes.ts";
import { exportTree } from "./export.ts";
import { HandleTable } from "./handles.ts";
import type { Inode } from "./inode.ts";
import {
  OPEN,
  type Attr,
  type AttrChange,
  type DirItem,
  type FsChange,
  type FsUsage,
  type Handle,
  type Ino,
  type InodeFs,
} from "./inode-fs.ts";
import { rename } from "./rename.ts";
import { FsState, checkName, type UnionFsOptions } from "./state.ts";

const UNKNOWN_TOTAL = 2 ** 40;
const UNKNOWN_INODES = 2 ** 31;

/** Layers below, changes in memory above. Nothing below is ever written. */
export class UnionFs implements InodeFs {
  readonly root: Ino;
  readonly readOnly: boolean;
  #state: FsState;
  readonly #handles = new HandleTable();

  private constructor(base: MergedTree, options: UnionFsOptions) {
    this.#state = new FsState(base, options);
    this.root = this.#state.root.ino;
    this.readOnly = options.readOnly === true;
  }

  /** A filesystem over `lowers`, lowest first; [] is an empty one. Throws `ERR_LAP_LAYER_INVALID` when they do not fit together. */
  static create(lowers: readonly LayerTree[], options: UnionFsOptions = {}): UnionFs {
    return new UnionFs(mergeLayers(lowers, options.mode), options);
  }

  /** A filesystem over layers that were merged before; many filesystems may share `base`. */
  static over(base: MergedTree, options: UnionFsOptions = {}): UnionFs {
    return new UnionFs(base, options);
  }

  /** The merged layers below. */
  get base(): MergedTree {
    return this.#state.base;
  }

  lookup(dir: Ino, name: ByteString): number {
    const inode = this.#state.get(dir);
    if (inode.live === undefined) return -ERRNO.ENOTDIR;
    if (name === ".") return dir;
    if (name === "..") return inode.parent!.ino;
    if (name.length > 255) return -ERRNO.ENAMETOOLONG;
    return this.#state.child(inode, name)?.ino ?? -ERRNO.ENOENT;
  }

  getattr(ino: Ino): Attr {
    return this.#state.get(ino).attr();
  }

  setattr(ino: Ino, change: AttrChange): Attr {
    const inode = this.#state.get(ino);
    setattr(this.#state, inode, change);
    return inode.attr();
  }

  open(ino: Ino, flags: number): Handle {
    const inode = this.#state.get(ino);
    const writes = (flags & (OPEN.write | OPEN.append | OPEN.truncate)) !== 0;
    if (inode.type === "dir") throw fsError(ERRNO.EISDIR);
    if (inode.type === "symlink") throw fsError(ERRNO.ELOOP);
    if (inode.type !== "file") throw fsError(ERRNO.ENXIO);
    if (writes) this.#prepareWrite(inode, flags);
    return this.#handles.add(inode, flags);
  }

  #prepareWrite(inode: Inode, flags: number): void {
    this.#state.checkWritable();
    if (this.#state.mode === "overlay2") this.#state.copyUp(inode);
    if ((flags & OPEN.truncate) !== 0) truncate(this.#state, inode, 0);
  }

  create(dir: Ino, name: ByteString, mode: number, flags: number): { ino: Ino; handle: Handle } {
    const inode = this.#make(dir, name, "file", mode);
    return { ino: inode.ino, handle: this.#handles.add(inode, flags) };
  }

  #make(
    dir: Ino,
    name: ByteString,
    type: FileType,
    mode: number,
    extra?: { target?: ByteString; major?: number; minor?: number },
  ): Inode {
    const parent = this.#state.dir(dir);
    this.#state.checkNew(parent, name);
    const inode = this.#state.make(parent, type, mode, extra);
    this.#state.attach(parent, name, inode);
    this.#state.emit("create", parent, name, inode);
    return inode;
  }

  inodeOf(handle: Handle): Ino {
    return this.#handles.get(handle).inode.ino;
  }

  read(handle: Handle, into: Uint8Array, offset: number, length: number, position: number): number {
    const { inode, flags } = this.#handles.get(handle);
    if ((flags & OPEN.read) === 0) throw fsError(inode.live === undefined ? ERRNO.EBADF : ERRNO.EISDIR);
    checkRange(into, offset, length, position);
    const content = inode.data ?? inode.base?.content;
    return content?.read(position, into, offset, length) ?? 0;
  }

  write(handle: Handle, from: Uint8Array, offset: number, length: number, position: number): number {
    const { inode, flags } = this.#handles.get(handle);
    if ((flags & (OPEN.write | OPEN.append)) === 0) throw fsError(ERRNO.EBADF);
    checkRange(from, offset, length, position);
    if (length === 0) return 0;
    this.#state.checkWritable();
    const data = this.#state.data(inode);
    const count = data.write((flags & OPEN.append) === 0 ? position : data.size, from, offset, length);
    dropCapability(inode);
    this.#state.touch(inode);
    this.#state.emit("modify", undefined, "", inode);
    return count;
  }

  close(handle: Handle): void {
    this.#state.reap(this.#handles.remove(handle).inode);
  }

  opendir(ino: Ino): Handle {
    return this.#handles.add(this.#state.dir(ino), 0);
  }

  readdir(handle: Handle, cookie: number, max: number): DirItem[] {
    const open = this.#handles.get(handle);
    const dir = this.#state.dir(open.inode.ino);
    if (cookie === 0 || open.names === undefined) open.names = this.#names(dir);
    const items: DirItem[] = [];
    for (let at = cookie; at < open.names.length && items.length < max; at++) {
      const name = open.names[at]!;
      const inode = this.#state.child(dir, name);
      if (inode !== undefined) items.push({ name, ino: inode.ino, type: inode.type, cookie: at + 1 });
    }
    return items;
  }

  #names(dir: Inode): ByteString[] {
    const names: ByteString[] = [];
    for (const name of dir.base?.children?.keys() ?? []) if (!dir.live!.has(name)) names.push(name);
    for (const [name, inode] of dir.live!) if (inode !== null) names.push(name);
    return names.sort(compareBytes);
  }

  mkdir(dir: Ino, name: ByteString, mode: number): Ino {
    return this.#make(dir, name, "dir", mode & 0o1777).ino;
  }

  symlink(dir: Ino, name: ByteString, target: ByteString): Ino {
    if (target === "") throw fsError(ERRNO.ENOENT);
    if (target.length > 4095) throw fsError(ERRNO.ENAMETOOLONG);
    return this.#make(dir, name, "symlink", 0o777, { target }).ino;
  }

  readlink(ino: Ino): ByteString {
    const inode = this.#state.get(ino);
    if (inode.type !== "symlink") throw fsError(ERRNO.EINVAL);
    return inode.target;
  }

  link(ino: Ino, dir: Ino, name: ByteString): void {
    const inode = this.#state.get(ino);
    const parent = this.#state.dir(dir);
    this.#state.checkNew(parent, name);
    if (inode.type === "dir") throw fsError(ERRNO.EPERM);
    if (inode.gone) throw fsError(ERRNO.ENOENT);
    this.#state.stamp(inode);
    inode.nlink++;
    inode.named = true;
    this.#state.attach(parent, name, inode);
    this.#state.emit("create", parent, name, inode);
  }

  mknod(dir: Ino, name: ByteString, type: FileType, mode: number, rdevMajor: number, rdevMinor: number): Ino {
    if (type === "dir") throw fsError(ERRNO.EPERM);
    if (type === "symlink") throw fsError(ERRNO.EINVAL);
    const isDevice = type === "char" || type === "block";
    this.#state.checkNew(this.#state.dir(dir), name);
    if (type === "char" && rdevMajor === 0 && rdevMinor === 0) throw fsError(ERRNO.EPERM);
    return this.#make(dir, name, type, mode, isDevice ? { major: rdevMajor, minor: rdevMinor } : {}).ino;
  }

  unlink(dir: Ino, name: ByteString): void {
    const parent = this.#state.dir(dir);
    this.#state.checkWritable();
    const inode = this.#state.mustChild(parent, name);
    if (inode.type === "dir") throw fsError(ERRNO.EISDIR);
    this.#remove(parent, name, inode);
  }

  rmdir(dir: Ino, name: ByteString): void {
    const parent = this.#state.dir(dir);
    this.#state.checkWritable();
    const inode = this.#state.mustChild(parent, name);
    if (inode.type !== "dir") throw fsError(ERRNO.ENOTDIR);
    if (!this.#state.isEmpty(inode)) throw fsError(ERRNO.ENOTEMPTY);
    this.#remove(parent, name, inode);
  }

  #remove(parent: Inode, name: ByteString, inode: Inode): void {
    this.#state.detach(parent, name, inode);
    this.#state.dropName(inode);
    this.#state.emit("delete", parent, name, inode);
  }

  rename(fromDir: Ino, fromName: ByteString, toDir: Ino, toName: ByteString, flags: number): void {
    const from = { dir: this.#state.dir(fromDir), name: fromName };
    const to = { dir: this.#state.dir(toDir), name: toName };
    checkName(fromName);
    rename(this.#state, from, to, flags);
  }

  listXattrs(ino: Ino): ByteString[] {
    return [...(this.#state.get(ino).xattrs?.keys() ?? [])].sort(compareBytes);
  }

  getXattr(ino: Ino, name: ByteString): Uint8Array | undefined {
    const value = this.#state.get(ino).xattrs?.get(name);
    return value === undefined ? undefined : new Uint8Array(value);
  }

  setXattr(ino: Ino, name: ByteString, value: Uint8Array, flags: number): void {
    setXattr(this.#state, this.#state.get(ino), name, value, flags);
  }

  removeXattr(ino: Ino, name: ByteString): void {
    removeXattr(this.#state, this.#state.get(ino), name);
  }

  /** Nothing is buffered elsewhere: checks the handle. */
  fsync(handle: Handle): void {
    this.#handles.get(handle);
  }

  statfs(): FsUsage {
    const { usedBytes, usedInodes, maxBytes, maxInodes } = this.#state.quota;
    const totalBytes = Number.isFinite(maxBytes) ? maxBytes : UNKNOWN_TOTAL;
    const totalInodes = Number.isFinite(maxInodes) ? maxInodes : UNKNOWN_INODES;
    return {
      totalBytes,
      freeBytes: Math.max(0, totalBytes - usedBytes),
      totalInodes,
      freeInodes: Math.max(0, totalInodes - usedInodes),
    };
  }

  watch(listener: (change: FsChange) => void): () => void {
    return this.#state.listen(listener);
  }

  /** What was changed, as a layer in overlay form. File bytes are shared with the filesystem, copy-on-write. */
  upperTree(): LayerTree {
    return exportTree(this.#state);
  }

  /** What was changed, as `docker diff` lists it, sorted by path. */
  changes(): Change[] {
    return treeChanges(this.upperTree(), this.#state.base);
  }

  /** What was changed, as members of a layer. */
  diffEntries(): LayerEntry[] {
    return treeEntries(this.upperTree());
  }

  /** An independent filesystem with the same layers and the same changes; unchanged data is shared. */
  fork(options: UnionFsOptions = this.#state.options): UnionFs {
    const copy = new UnionFs(this.#state.base, options);
    adoptTree(copy.#state, this.upperTree());
    return copy;
  }

  /** Applies a layer in overlay form as if its changes had been made here. */
  adopt(upper: LayerTree): void {
    adoptTree(this.#state, upper);
  }

  /** Makes what was changed a layer below, and goes on with an empty upper. Inode numbers and handles stay. */
  freeze(): LayerTree {
    const upper = this.upperTree();
    this.#state.settle(mergeOnto(this.#state.base, upper, this.#state.mode));
    return upper;
  }
}

function checkRange(bytes: Uint8Array, offset: number, length: number, position: number): void {
  if (offset < 0 || length < 0 || offset + length > bytes.length || position < 0) throw fsError(ERRNO.EINVAL);
}
