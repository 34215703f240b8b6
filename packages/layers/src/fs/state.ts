// What the operations of a union filesystem share: the inode table, lookup of names, copy-up, times and change events.
import { ERRNO, fsError, type ByteString, type FileType, type Timespec } from "@lapstrake/base";
import { MAX_NAME_BYTES } from "../limits.ts";
import type { LayerMode } from "../tree/builder.ts";
import { TreeNode, childNode, type MergedTree } from "../tree/node.ts";
import { FileData } from "./file-data.ts";
import { Inode } from "./inode.ts";
import type { FsChange, Identity, Ino } from "./inode-fs.ts";
import { Quota } from "./quota.ts";

/** Settings of a union filesystem. */
export interface UnionFsOptions {
  /** `overlay2` shows the quirks of kernel overlayfs with default options: EXDEV, broken hard links. Default `spec`. */
  readonly mode?: LayerMode;
  /** Every change fails with EROFS. */
  readonly readOnly?: boolean;
  /** Owner and umask of new inodes; default root, 022. */
  readonly identity?: Identity;
  /** Most bytes of changed data held in memory; unlimited by default. */
  readonly maxBytes?: number;
  /** Most inodes made here; unlimited by default. */
  readonly maxInodes?: number;
  /** Source of times; default the wall clock. */
  readonly now?: () => Timespec;
}

const ROOT_IDENTITY: Identity = { uid: 0, gid: 0, umask: 0o022 };

export class FsState {
  readonly options: UnionFsOptions;
  readonly mode: LayerMode;
  readonly identity: Identity;
  readonly quota: Quota;
  readonly root: Inode;
  base: MergedTree;
  readonly #inodes: (Inode | undefined)[] = [undefined];
  /** Inodes of lower nodes that have several names. */
  readonly #linked = new Map<TreeNode, Inode>();
  readonly #listeners = new Set<(change: FsChange) => void>();
  readonly #now: () => Timespec;

  constructor(base: MergedTree, options: UnionFsOptions) {
    this.options = options;
    this.mode = options.mode ?? "spec";
    this.identity = options.identity ?? ROOT_IDENTITY;
    this.quota = new Quota(options.maxBytes, options.maxInodes);
    this.#now = options.now ?? wallClock;
    this.base = base;
    this.root = this.#add(base.root, base.root, 1);
    this.root.parent = this.root;
  }

  #add(node: TreeNode, base: TreeNode | undefined, nlink: number): Inode {
    const inode = new Inode(this.#inodes.length, node, base, nlink);
    this.#inodes.push(inode);
    return inode;
  }

  /** The inode; ESTALE when it is gone. */
  get(ino: Ino): Inode {
    const inode = this.#inodes[ino];
    if (inode === undefined) throw fsError(ERRNO.ESTALE);
    return inode;
  }

  /** The inode of a directory; ENOTDIR. */
  dir(ino: Ino): Inode {
    const inode = this.get(ino);
    if (inode.live === undefined) throw fsError(ERRNO.ENOTDIR);
    return inode;
  }

  /** The inode of a name, undefined when there is none. */
  child(dir: Inode, name: ByteString): Inode | undefined {
    const live = dir.live!.get(name);
    if (live !== undefined) return live ?? undefined;
    const node = dir.base === undefined ? undefined : childNode(dir.base, name);
    return node === undefined ? undefined : this.#materialize(dir, name, node);
  }

  /** The inode of a name that must exist: ENOENT. */
  mustChild(dir: Inode, name: ByteString): Inode {
    checkName(name);
    const inode = this.child(dir, name);
    if (inode === undefined) throw fsError(ERRNO.ENOENT);
    return inode;
  }

  #materialize(dir: Inode, name: ByteString, node: TreeNode): Inode {
    const inode = this.inodeOfNode(node);
    if (node.type === "dir") inode.parent = dir;
    dir.live!.set(name, inode);
    return inode;
  }

  /** The inode of a lower node; names of one node share it, except in `overlay2`, where the kernel tells them apart. */
  inodeOfNode(node: TreeNode): Inode {
    const links = this.base.links.get(node);
    if (links === undefined || this.mode === "overlay2") return this.#add(node, node, links ?? 1);
    let inode = this.#linked.get(node);
    if (inode === undefined) {
      inode = this.#add(node, node, links);
      this.#linked.set(node, inode);
    }
    return inode;
  }

  /** The inode of a lower node when it was looked up already. */
  linkedInode(node: TreeNode): Inode | undefined {
    return this.#linked.get(node);
  }

  /** Lower nodes with several names that were looked up. */
  linkedInodes(): IterableIterator<[TreeNode, Inode]> {
    return this.#linked.entries();
  }

  /** A new inode below `dir`, not yet named: the group comes from a setgid directory. */
  make(
    dir: Inode,
    type: FileType,
    mode: number,
    extra: { target?: ByteString; major?: number; minor?: number } = {},
  ): Inode {
    this.quota.addInode();
    const setgid = (dir.mode & 0o2000) !== 0;
    const masked = type === "symlink" ? 0o777 : mode & 0o7777 & ~this.identity.umask;
    const now = this.#now();
    const node = new TreeNode({
      type,
      mode: type === "dir" && setgid ? masked | 0o2000 : masked,
      uid: this.identity.uid,
      gid: setgid ? dir.gid : this.identity.gid,
      mtimeSec: now.sec,
      mtimeNsec: now.nsec,
      target: extra.target ?? "",
      rdevMajor: extra.major ?? 0,
      rdevMinor: extra.minor ?? 0,
    });
    const inode = this.#add(node, undefined, 1);
    if (type === "dir") inode.parent = dir;
    inode.own = true;
    inode.dirty = true;
    return inode;
  }

  /** An inode of this upper with the attributes, and for files the bytes, of `node`. */
  adopt(node: TreeNode, base: TreeNode | undefined): Inode {
    this.quota.addInode();
    const inode = this.#add(node, base, 1);
    inode.own = true;
    inode.dirty = base === undefined;
    return inode;
  }

  /** Checks that `name` can be made in `dir`: EROFS, EINVAL, ENOENT (removed directory), EEXIST. */
  checkNew(dir: Inode, name: ByteString): void {
    this.checkWritable();
    checkName(name);
    if (this.child(dir, name) !== undefined) throw fsError(ERRNO.EEXIST);
    if (dir.gone) throw fsError(ERRNO.ENOENT);
  }

  checkWritable(): void {
    if (this.options.readOnly === true) throw fsError(ERRNO.EROFS);
  }

  /** Gives `inode` a name and stamps the directory. */
  attach(dir: Inode, name: ByteString, inode: Inode): void {
    dir.live!.set(name, inode);
    if (inode.type === "dir") {
      inode.parent = dir;
      dir.countSubdir(1);
    }
    this.touch(dir);
  }

  /** Takes a name away and stamps the directory; the inode stays. */
  detach(dir: Inode, name: ByteString, inode: Inode): void {
    if (dir.base?.children?.has(name) === true) dir.live!.set(name, null);
    else dir.live!.delete(name);
    if (inode.type === "dir") dir.countSubdir(-1);
    this.touch(dir);
  }

  /** One name less; the inode goes when it was the last and nobody holds it open. */
  dropName(inode: Inode): void {
    const alone = inode.type === "dir" || (this.mode === "overlay2" && !inode.dirty);
    inode.nlink = alone ? 0 : inode.nlink - 1;
    inode.gone = inode.nlink === 0;
    const now = this.#now();
    inode.ctimeSec = now.sec;
    inode.ctimeNsec = now.nsec;
    this.reap(inode);
  }

  /** Frees an inode without names and handles. */
  reap(inode: Inode): void {
    if (!inode.gone || inode.handles > 0) return;
    inode.data?.release();
    if (inode.own && this.quota.usedInodes > 0) this.quota.usedInodes--;
    this.#inodes[inode.ino] = undefined;
  }

  /** Marks as changed; what kernel overlayfs does to hard links of a lower file happens in `overlay2`. */
  copyUp(inode: Inode): void {
    if (inode.dirty) return;
    inode.dirty = true;
    if (this.mode === "overlay2" && inode.type !== "dir" && !inode.own) inode.nlink = 1;
  }

  /** Changed data: the copy-on-write bytes of a regular file. */
  data(inode: Inode): FileData {
    this.copyUp(inode);
    inode.data ??= new FileData(inode.base?.content, this.quota);
    return inode.data;
  }

  /** mtime and ctime are now. */
  touch(inode: Inode): void {
    const now = this.stamp(inode);
    inode.mtimeSec = now.sec;
    inode.mtimeNsec = now.nsec;
  }

  /** ctime is now; the inode counts as changed. */
  stamp(inode: Inode): Timespec {
    const now = this.#now();
    this.copyUp(inode);
    inode.ctimeSec = now.sec;
    inode.ctimeNsec = now.nsec;
    return now;
  }

  listen(listener: (change: FsChange) => void): () => void {
    const own = (change: FsChange): void => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  emit(kind: FsChange["kind"], dir: Inode | undefined, name: ByteString, inode: Inode): void {
    if (this.#listeners.size === 0) return;
    const change: FsChange = { kind, dir: dir?.ino ?? 0, name, ino: inode.ino };
    for (const listener of this.#listeners) listener(change);
  }

  /** Names of a directory with their inodes; order undefined. */
  *entries(dir: Inode): Iterable<[ByteString, Inode]> {
    for (const name of dir.base?.children?.keys() ?? []) {
      if (!dir.live!.has(name)) this.child(dir, name);
    }
    for (const [name, inode] of dir.live!) if (inode !== null) yield [name, inode];
  }

  isEmpty(dir: Inode): boolean {
    for (const name of dir.base?.children?.keys() ?? []) if (dir.live!.get(name) !== null) return false;
    for (const inode of dir.live!.values()) if (inode !== null) return false;
    return true;
  }

  /** After a freeze: the inodes stay, and show the nodes of the new base. */
  settle(base: MergedTree): void {
    this.base = base;
    this.#linked.clear();
    this.#settle(this.root, base.root);
    this.quota.usedBytes = 0;
    this.quota.usedInodes = 0;
  }

  #settle(inode: Inode, node: TreeNode): void {
    inode.base = node;
    inode.data = undefined;
    inode.dirty = inode.own = inode.named = false;
    if (this.base.links.has(node)) this.#linked.set(node, inode);
    for (const [name, child] of inode.live ?? []) {
      const below = childNode(node, name);
      if (child === null || below === undefined) inode.live!.delete(name);
      else this.#settle(child, below);
    }
  }
}

/** EINVAL for what is not one component, ENAMETOOLONG. */
export function checkName(name: ByteString): void {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0"))
    throw fsError(ERRNO.EINVAL);
  if (name.length > MAX_NAME_BYTES) throw fsError(ERRNO.ENAMETOOLONG);
}

function wallClock(): Timespec {
  const ms = performance.timeOrigin + performance.now();
  const sec = Math.floor(ms / 1000);
  return { sec, nsec: Math.floor((ms - sec * 1000) * 1000) * 1000 };
}
