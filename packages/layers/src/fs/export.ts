// The changes of a union filesystem -> a layer tree in overlay form. Looks only at what was touched: the cost follows the
// change, not the image. Nothing unchanged is listed, and a name is whited out only when something is below it.
import type { ByteString } from "@lapstrake/base";
import { close, join } from "../tree/builder.ts";
import { sameXattrs } from "../tree/diff.ts";
import { TreeNode, childNode, impliedDir, type LayerTree, type TreeChild } from "../tree/node.ts";
import type { Inode } from "./inode.ts";
import type { FsState } from "./state.ts";

export function exportTree(state: FsState): LayerTree {
  return new Exporter(state).run();
}

class Exporter {
  readonly #state: FsState;
  /** The node of each exported inode: names of one inode share it. */
  readonly #nodes = new Map<Inode, TreeNode>();
  #hasLinks = false;
  /** Whatever was copied up counts, as in a kernel upper directory. */
  readonly #all: boolean;

  constructor(state: FsState) {
    this.#state = state;
    this.#all = state.mode === "overlay2";
  }

  run(): LayerTree {
    this.#findAllNames();
    const { root, base } = this.#state;
    const tree = this.#changed(root, base.root) ?? impliedDir();
    tree.implied = !differs(root, base.root);
    close(tree);
    return { root: tree, hasLinks: this.#hasLinks };
  }

  /** A changed file with several names in the layers below is listed under all of them. */
  #findAllNames(): void {
    const wanted = new Set<TreeNode>();
    for (const [node, inode] of this.#state.linkedInodes())
      if (!inode.gone && this.#fileDiffers(inode)) wanted.add(node);
    if (wanted.size === 0) return;
    for (const path of pathsOf(this.#state.base.root, wanted)) this.#touch(path);
  }

  #touch(path: readonly ByteString[]): void {
    let dir: Inode | undefined = this.#state.root;
    for (const name of path) dir = dir?.live === undefined ? undefined : this.#state.child(dir, name);
  }

  #fileDiffers(inode: Inode): boolean {
    if (!inode.dirty) return false;
    return this.#all || inode.data !== undefined || inode.named || differs(inode, inode.base!);
  }

  /** What differs in a directory that stands where `base` stood; undefined when nothing does. */
  #changed(dir: Inode, base: TreeNode): TreeNode | undefined {
    const children = new Map<ByteString, TreeChild>();
    for (const [name, child] of dir.live!) {
      const below = childNode(base, name);
      if (child === null) {
        if (below !== undefined) children.set(name, null);
        continue;
      }
      const node = this.#child(child, below);
      if (node !== undefined) children.set(name, node);
    }
    if (children.size === 0 && !differs(dir, base) && !(this.#all && dir.dirty)) return undefined;
    return dirNode(dir, children);
  }

  #child(child: Inode, below: TreeNode | undefined): TreeNode | undefined {
    if (child.type !== "dir") {
      if (child.base !== undefined && child.base === below && !this.#fileDiffers(child)) return undefined;
      return this.#leaf(child);
    }
    if (child.base !== undefined && child.base === below) return this.#changed(child, below);
    const node = this.#whole(child);
    node.opaque = below?.type === "dir";
    return node;
  }

  #leaf(inode: Inode): TreeNode {
    const known = this.#nodes.get(inode);
    if (known !== undefined) {
      this.#hasLinks = true;
      return known;
    }
    const node = inode.base !== undefined && !this.#fileDiffers(inode) ? inode.base : leafNode(inode);
    this.#nodes.set(inode, node);
    return node;
  }

  /** A directory that is new at its place, with everything in it. */
  #whole(dir: Inode): TreeNode {
    const children = new Map<ByteString, TreeChild>();
    for (const [name, node] of dir.base?.children ?? []) {
      if (node instanceof TreeNode && !dir.live!.has(name)) children.set(name, this.#untouched(node));
    }
    for (const [name, child] of dir.live!) {
      if (child === null) continue;
      children.set(name, child.type === "dir" ? this.#whole(child) : this.#leaf(child));
    }
    return dirNode(dir, children);
  }

  /** A lower subtree nobody looked at: shared, unless hard links lead out of it. */
  #untouched(node: TreeNode): TreeNode {
    if (node.type !== "dir") {
      const links = this.#state.base.links.has(node);
      const inode = links ? this.#state.linkedInode(node) : undefined;
      this.#hasLinks ||= links;
      return inode === undefined ? node : this.#leaf(inode);
    }
    if (this.#state.base.links.size === 0) return node;
    const children = new Map<ByteString, TreeChild>();
    for (const [name, child] of node.children!)
      if (child instanceof TreeNode) children.set(name, this.#untouched(child));
    return new TreeNode(node, children);
  }
}

function dirNode(inode: Inode, children: Map<ByteString, TreeChild>): TreeNode {
  return new TreeNode(metadata(inode), children);
}

function leafNode(inode: Inode): TreeNode {
  const content = inode.data?.snapshot() ?? inode.base?.content;
  return new TreeNode({ ...metadata(inode), content });
}

type Metadata = Pick<
  Inode,
  | "type"
  | "mode"
  | "uid"
  | "gid"
  | "mtimeSec"
  | "mtimeNsec"
  | "atimeSec"
  | "atimeNsec"
  | "rdevMajor"
  | "rdevMinor"
  | "target"
  | "xattrs"
>;

function metadata(inode: Inode): Metadata {
  const { type, mode, uid, gid, mtimeSec, mtimeNsec, atimeSec, atimeNsec, rdevMajor, rdevMinor, target, xattrs } =
    inode;
  return { type, mode, uid, gid, mtimeSec, mtimeNsec, atimeSec, atimeNsec, rdevMajor, rdevMinor, target, xattrs };
}

/** True when a layer would show another inode than `base`: ctime and atime do not count. */
function differs(inode: Inode, base: TreeNode): boolean {
  return (
    inode.dirty &&
    (inode.mode !== base.mode ||
      inode.uid !== base.uid ||
      inode.gid !== base.gid ||
      inode.mtimeSec !== base.mtimeSec ||
      inode.mtimeNsec !== base.mtimeNsec ||
      !sameXattrs(inode.xattrs, base.xattrs))
  );
}

/** Paths of every name of the wanted nodes. */
function pathsOf(root: TreeNode, wanted: ReadonlySet<TreeNode>): ByteString[][] {
  const found: ByteString[][] = [];
  const todo: [TreeNode, ByteString][] = [[root, ""]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    for (const [name, child] of next[0].children!) {
      if (!(child instanceof TreeNode)) continue;
      const path = join(next[1], name);
      if (child.type === "dir") todo.push([child, path]);
      else if (wanted.has(child)) found.push(path.split("/"));
    }
  }
  return found;
}
