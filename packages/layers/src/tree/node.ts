// The tree of one layer, and the merged tree of several: immutable nodes that images, filesystems and forks share.
// A layer's tree is in overlay form: whiteouts and opaque marks say what they hide below (OCI image-spec layer.md, overlayfs.rst).
import type { ByteString, FileType } from "@lapstrake/base";
import type { Content } from "./content.ts";

/** What a name of a layer's directory stands for: a file, a whiteout (null), or a hard link into a lower layer. */
export type TreeChild = TreeNode | LowerLink | null;

/** Fields of a {@link TreeNode}; what is absent is zero, empty or undefined. */
export interface NodeInit {
  readonly type: FileType;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeSec?: number;
  readonly mtimeNsec?: number;
  readonly atimeSec?: number;
  readonly atimeNsec?: number;
  readonly rdevMajor?: number;
  readonly rdevMinor?: number;
  readonly target?: ByteString;
  readonly content?: Content | undefined;
  readonly xattrs?: ReadonlyMap<ByteString, Uint8Array> | undefined;
}

/** One inode of a layer. Two names that share a node are hard links. Treat it as immutable once its tree is finished. */
export class TreeNode {
  type: FileType;
  /** mode & 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  mtimeSec: number;
  mtimeNsec: number;
  atimeSec: number;
  atimeNsec: number;
  rdevMajor: number;
  rdevMinor: number;
  /** Target of a symbolic link. */
  target: ByteString;
  /** Bytes of a regular file; undefined where the tree only describes what is on disk. */
  content: Content | undefined;
  xattrs: ReadonlyMap<ByteString, Uint8Array> | undefined;
  /** Names of a directory, whiteouts included in a layer's tree. */
  readonly children: Map<ByteString, TreeChild> | undefined;
  /** A directory that hides everything below it. */
  opaque = false;
  /** A directory that the layer did not list: it takes the metadata of what is below, else 0755 root. */
  implied = false;
  /** Nothing in this subtree needs the layers below: merging may share it. */
  closed = true;

  constructor(init: NodeInit, children?: Map<ByteString, TreeChild>) {
    this.type = init.type;
    this.mode = init.mode;
    this.uid = init.uid ?? 0;
    this.gid = init.gid ?? 0;
    this.mtimeSec = init.mtimeSec ?? 0;
    this.mtimeNsec = init.mtimeNsec ?? 0;
    this.atimeSec = init.atimeSec ?? this.mtimeSec;
    this.atimeNsec = init.atimeSec === undefined ? this.mtimeNsec : (init.atimeNsec ?? 0);
    this.rdevMajor = init.rdevMajor ?? 0;
    this.rdevMinor = init.rdevMinor ?? 0;
    this.target = init.target ?? "";
    this.content = init.content;
    this.xattrs = init.xattrs;
    this.children = init.type === "dir" ? (children ?? new Map()) : undefined;
  }

  /** st_size: bytes of a file, length of a link target. */
  get size(): number {
    return this.type === "file" ? (this.content?.size ?? 0) : this.target.length;
  }
}

/** A hard link whose target is not in its own layer: resolved in the layers below when they are merged. */
export class LowerLink {
  /** Clean path of the target, without leading slash. */
  readonly target: ByteString;

  constructor(target: ByteString) {
    this.target = target;
  }
}

/** One layer. */
export interface LayerTree {
  readonly root: TreeNode;
  /** True when two names of the layer share a node. */
  readonly hasLinks: boolean;
}

/** Several layers as one tree: no whiteouts, no opaque marks. */
export interface MergedTree {
  readonly root: TreeNode;
  /** Number of names of every node that has more than one. */
  readonly links: ReadonlyMap<TreeNode, number>;
}

/** A directory nobody described: 0755, root's, epoch. */
export function impliedDir(): TreeNode {
  const node = new TreeNode({ type: "dir", mode: 0o755 });
  node.implied = true;
  return node;
}

/** A layer that changes nothing. */
export function emptyTree(): LayerTree {
  return { root: impliedDir(), hasLinks: false };
}

/** A copy of `node` with other children; metadata, content and marks are the same. */
export function withChildren(node: TreeNode, children: Map<ByteString, TreeChild>): TreeNode {
  const copy = new TreeNode(node, children);
  copy.implied = node.implied;
  return copy;
}

/** The child when it is a node, undefined when the name is absent, whited out or an open link. */
export function childNode(dir: TreeNode, name: ByteString): TreeNode | undefined {
  const child = dir.children?.get(name);
  return child instanceof TreeNode ? child : undefined;
}
