// A layer in overlay form -> the upper of a union filesystem, as if its changes had been made there: fork, and loading a saved upper.
import type { ByteString } from "@lapstrake/base";
import { copyMetadata } from "../tree/builder.ts";
import { findNode } from "../tree/merge.ts";
import { LowerLink, TreeNode, type LayerTree } from "../tree/node.ts";
import type { Inode } from "./inode.ts";
import type { FsState } from "./state.ts";

export function adoptTree(state: FsState, tree: LayerTree): void {
  new Adopter(state, !tree.hasLinks && state.mode === "spec").directory(state.root, tree.root);
}

class Adopter {
  readonly #state: FsState;
  /** Whole new subtrees may be taken as they are, and looked at when someone asks. */
  readonly #share: boolean;
  readonly #inodes = new Map<TreeNode, Inode>();

  constructor(state: FsState, share: boolean) {
    this.#state = state;
    this.#share = share;
  }

  directory(dir: Inode, node: TreeNode): void {
    if (!node.implied) {
      copyMetadata(dir as unknown as TreeNode, node);
      dir.dirty = true;
    }
    for (const [name, child] of node.children!) {
      const old = this.#state.child(dir, name);
      if (child instanceof TreeNode && child.type === "dir" && old?.type === "dir" && !child.opaque) {
        this.directory(old, child);
        continue;
      }
      if (old !== undefined) this.#drop(dir, name, old);
      if (child !== null) this.#place(dir, name, child);
    }
  }

  #drop(dir: Inode, name: ByteString, old: Inode): void {
    if (old.type === "dir" && this.#state.base.links.size > 0) this.#dropLinks(old);
    this.#state.dropName(this.#hide(dir, name, old));
  }

  /** Files beneath a directory that goes away lose a name each; those with others stay. */
  #dropLinks(dir: Inode): void {
    for (const [name, child] of this.#state.entries(dir)) this.#drop(dir, name, child);
  }

  #hide(dir: Inode, name: ByteString, old: Inode): Inode {
    if (dir.base?.children?.has(name) === true) dir.live!.set(name, null);
    else dir.live!.delete(name);
    if (old.type === "dir") dir.countSubdir(-1);
    return old;
  }

  #place(dir: Inode, name: ByteString, child: TreeNode | LowerLink): void {
    const inode = child instanceof LowerLink ? this.#lower(child) : this.#node(child);
    if (inode === undefined) return;
    dir.live!.set(name, inode);
    if (inode.type !== "dir") return;
    inode.parent = dir;
    dir.countSubdir(1);
    if (inode.base === undefined) this.directory(inode, child as TreeNode);
  }

  #node(node: TreeNode): Inode {
    const known = this.#inodes.get(node);
    if (known !== undefined) {
      known.nlink++;
      return known;
    }
    const shared = node.type !== "dir" || (this.#share && node.closed);
    const inode = this.#state.adopt(node, shared ? node : undefined);
    if (node.type !== "dir") this.#inodes.set(node, inode);
    return inode;
  }

  #lower(link: LowerLink): Inode | undefined {
    const node = findNode(this.#state.base.root, link.target);
    if (node === undefined) return undefined;
    const inode = this.#state.inodeOfNode(node);
    inode.nlink++;
    inode.named = true;
    inode.dirty = true;
    return inode;
  }
}
