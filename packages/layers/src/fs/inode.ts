// One inode of a union filesystem: the attributes as they are now, and the lower node it came from.
import type { ByteString, FileType } from "@lapstrake/base";
import { TreeNode } from "../tree/node.ts";
import type { FileData } from "./file-data.ts";
import type { Attr, Ino } from "./inode-fs.ts";

const DIR_SIZE = 4096;
const BLOCK = 512;

export class Inode {
  readonly ino: Ino;
  readonly type: FileType;
  mode: number;
  uid: number;
  gid: number;
  /** Names; for directories computed when asked. */
  nlink: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
  ctimeSec: number;
  ctimeNsec: number;
  readonly target: ByteString;
  xattrs: ReadonlyMap<ByteString, Uint8Array> | undefined;
  /** Changed bytes; undefined while the file is as in the layers below. */
  data: FileData | undefined;
  /** The merged lower node this inode shows; undefined for what was made here. */
  base: TreeNode | undefined;
  /** Directories: what differs from `base`, and a cache of what was looked up. Null hides a name of `base`. */
  readonly live: Map<ByteString, Inode | null> | undefined;
  /** Directories: where it stands. */
  parent: Inode | undefined;
  handles = 0;
  /** Copied up: something about it may differ from `base`. */
  dirty = false;
  /** Made in this upper, not copied up from a layer. */
  own = false;
  /** Got a further name here: all its names belong into the layer. */
  named = false;
  /** Removed: no name is left. */
  gone = false;
  #subdirs = -1;

  constructor(ino: Ino, node: TreeNode, base: TreeNode | undefined, nlink: number) {
    this.ino = ino;
    this.type = node.type;
    this.mode = node.mode;
    this.uid = node.uid;
    this.gid = node.gid;
    this.nlink = nlink;
    this.rdevMajor = node.rdevMajor;
    this.rdevMinor = node.rdevMinor;
    this.atimeSec = node.atimeSec;
    this.atimeNsec = node.atimeNsec;
    this.mtimeSec = node.mtimeSec;
    this.mtimeNsec = node.mtimeNsec;
    this.ctimeSec = node.mtimeSec;
    this.ctimeNsec = node.mtimeNsec;
    this.target = node.target;
    this.xattrs = node.xattrs;
    this.data = undefined;
    this.base = base;
    this.live = node.type === "dir" ? new Map() : undefined;
    this.parent = undefined;
  }

  get size(): number {
    if (this.type === "file") return this.data?.size ?? this.base?.size ?? 0;
    return this.type === "dir" ? DIR_SIZE : this.target.length;
  }

  /** One more (or less) subdirectory. */
  countSubdir(by: number): void {
    if (this.#subdirs >= 0) this.#subdirs += by;
  }

  attr(): Attr {
    const size = this.size;
    return {
      ino: this.ino,
      type: this.type,
      mode: this.mode,
      nlink: this.type === "dir" ? this.#dirLinks() : this.nlink,
      uid: this.uid,
      gid: this.gid,
      rdevMajor: this.rdevMajor,
      rdevMinor: this.rdevMinor,
      size,
      blocks: this.type === "file" ? Math.ceil((this.data?.storedBytes ?? size) / BLOCK) : 0,
      atimeSec: this.atimeSec,
      atimeNsec: this.atimeNsec,
      mtimeSec: this.mtimeSec,
      mtimeNsec: this.mtimeNsec,
      ctimeSec: this.ctimeSec,
      ctimeNsec: this.ctimeNsec,
    };
  }

  #dirLinks(): number {
    if (this.gone) return 0;
    if (this.#subdirs < 0) this.#subdirs = this.#countSubdirs();
    return 2 + this.#subdirs;
  }

  #countSubdirs(): number {
    let count = 0;
    for (const [name, child] of this.base?.children ?? []) {
      if (child instanceof TreeNode && child.type === "dir" && !this.live!.has(name)) count++;
    }
    for (const child of this.live!.values()) if (child?.type === "dir") count++;
    return count;
  }
}
