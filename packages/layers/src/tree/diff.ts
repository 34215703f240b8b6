// Two merged trees -> the smallest layer that leads from one to the other: what squash, image diffs and repacking are made of.
import type { ByteString } from "@lapstrake/base";
import { close } from "./builder.ts";
import { contentBytes, type Content } from "./content.ts";
import { TreeNode, childNode, impliedDir, type LayerTree, type MergedTree, type TreeChild } from "./node.ts";

/** The layer that makes `to` of `from`: mergeOnto(from, diffLayer(from, to)) shows `to`. */
export function diffLayer(from: MergedTree, to: MergedTree): LayerTree {
  const diff = new Diff(from, to);
  diff.findChangedLinks(from.root, to.root);
  const root = diff.directory(from.root, to.root) ?? impliedDir();
  root.implied = sameMetadata(from.root, to.root);
  close(root);
  return { root, hasLinks: to.links.size > 0 };
}

class Diff {
  readonly #from: MergedTree;
  readonly #to: MergedTree;
  /** Files with several names of which one changed: all are listed. */
  readonly #changedLinks = new Set<TreeNode>();

  constructor(from: MergedTree, to: MergedTree) {
    this.#from = from;
    this.#to = to;
  }

  findChangedLinks(from: TreeNode | undefined, to: TreeNode): void {
    if (this.#to.links.size === 0 || from === to) return;
    for (const [name, child] of to.children!) {
      if (!(child instanceof TreeNode)) continue;
      const before = from?.children === undefined ? undefined : childNode(from, name);
      if (child.type === "dir") this.findChangedLinks(before, child);
      else if (this.#to.links.has(child) && !this.#sameLinked(before, child)) this.#changedLinks.add(child);
    }
  }

  #sameLinked(before: TreeNode | undefined, now: TreeNode): boolean {
    if (before === undefined || this.#from.links.get(before) !== this.#to.links.get(now)) return false;
    return before === now || sameNode(before, now);
  }

  /** What differs between two directories; undefined when nothing does. */
  directory(from: TreeNode, to: TreeNode): TreeNode | undefined {
    if (from === to && this.#changedLinks.size === 0) return undefined;
    const children = new Map<ByteString, TreeChild>();
    for (const name of from.children!.keys()) if (!to.children!.has(name)) children.set(name, null);
    for (const [name, child] of to.children!) {
      const node = child instanceof TreeNode ? this.#child(childNode(from, name), child) : undefined;
      if (node !== undefined) children.set(name, node);
    }
    if (children.size === 0 && sameMetadata(from, to)) return undefined;
    return new TreeNode(to, children);
  }

  #child(before: TreeNode | undefined, now: TreeNode): TreeNode | undefined {
    if (now.type === "dir") return before?.type === "dir" ? this.directory(before, now) : now;
    if (this.#changedLinks.has(now)) return now;
    if (before === now) return undefined;
    // A name that shared its file with others and is alone now, or the other way round, is another file.
    const links = (before === undefined ? 0 : this.#from.links.get(before)) ?? 1;
    const same = before !== undefined && links === (this.#to.links.get(now) ?? 1) && sameNode(before, now);
    return same ? undefined : now;
  }
}

function sameMetadata(a: TreeNode, b: TreeNode): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.mtimeSec === b.mtimeSec &&
    a.mtimeNsec === b.mtimeNsec &&
    a.rdevMajor === b.rdevMajor &&
    a.rdevMinor === b.rdevMinor &&
    a.target === b.target &&
    sameXattrs(a.xattrs, b.xattrs)
  );
}

function sameNode(a: TreeNode, b: TreeNode): boolean {
  return sameMetadata(a, b) && sameContent(a.content, b.content);
}

/** True when both are the same bytes; cheap when they are the same slice. */
function sameContent(a: Content | undefined, b: Content | undefined): boolean {
  if (a === b) return true;
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false;
  return a === undefined || b === undefined || sameBytes(contentBytes(a), contentBytes(b));
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

type Xattrs = ReadonlyMap<ByteString, Uint8Array> | undefined;

export function sameXattrs(a: Xattrs, b: Xattrs): boolean {
  if (a === b) return true;
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false;
  for (const [name, value] of a ?? []) {
    const other = b?.get(name);
    if (other === undefined || !sameBytes(other, value)) return false;
  }
  return true;
}
