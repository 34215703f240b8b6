// A layer over what is below -> the list `docker diff` prints: A (added), C (changed), D (deleted), sorted by path.
import type { ByteString } from "@lapstrake/base";
import { join } from "./builder.ts";
import { diffLayer } from "./diff.ts";
import { findNode } from "./merge.ts";
import { TreeNode, type LayerTree, type MergedTree, type TreeChild } from "./node.ts";
import { compareBytes } from "./order.ts";

/** One line of `docker diff`; the path is absolute. */
export interface Change {
  readonly kind: "A" | "C" | "D";
  readonly path: ByteString;
}

/** The merged layers below a change, by clean path. */
export interface LowerView {
  /** lstat; links on the way are not followed by implementations on disk. */
  lookup(path: ByteString): TreeNode | undefined;
  /** Names of a directory; [] when there is none. */
  names(path: ByteString): ByteString[];
}

/** A merged tree as a {@link LowerView}. */
export function viewOf({ root }: MergedTree): LowerView {
  return {
    lookup: (path) => findNode(root, path),
    names: (path) => [...(findNode(root, path)?.children?.keys() ?? [])],
  };
}

/** What `upper` adds, changes and deletes in `lower`; directories on the way to a change are listed as changed. */
export function treeChanges(upper: LayerTree, lower: LowerView | MergedTree): Change[] {
  const out: Change[] = [];
  walk(upper.root, "", "lookup" in lower ? lower : viewOf(lower), out);
  return out.sort((a, b) => compareBytes(a.path, b.path));
}

/** Lists changes beneath `dir`, which stands over a lower directory. */
function walk(dir: TreeNode, path: ByteString, lower: LowerView, out: Change[]): void {
  for (const [name, child] of dir.children!) visit(child, join(path, name), lower, out);
  if (!dir.opaque) return;
  for (const name of lower.names(path)) {
    if (!dir.children!.has(name)) out.push({ kind: "D", path: `/${join(path, name)}` });
  }
}

function visit(child: TreeChild, path: ByteString, lower: LowerView, out: Change[]): void {
  const below = lower.lookup(path);
  if (child === null) {
    if (below !== undefined) out.push({ kind: "D", path: `/${path}` });
    return;
  }
  if (!(child instanceof TreeNode) || child.type !== "dir") {
    out.push({ kind: below === undefined ? "A" : "C", path: `/${path}` });
    return;
  }
  if (below?.type !== "dir") {
    out.push({ kind: below === undefined ? "A" : "C", path: `/${path}` });
    addAll(child, path, out);
    return;
  }
  const before = out.length;
  walk(child, path, lower, out);
  if (out.length > before || !sameMetadata(child, below)) out.push({ kind: "C", path: `/${path}` });
}

function addAll(dir: TreeNode, path: ByteString, out: Change[]): void {
  for (const [name, child] of dir.children!) {
    if (child === null) continue;
    const at = join(path, name);
    out.push({ kind: "A", path: `/${at}` });
    if (child instanceof TreeNode && child.type === "dir") addAll(child, at, out);
  }
}

function sameMetadata(a: TreeNode, b: TreeNode): boolean {
  if (a.implied) return true;
  const times = a.mtimeSec === b.mtimeSec && a.mtimeNsec === b.mtimeNsec;
  return times && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

/** The changes between two merged trees: what a layer on `from` must say to show `to`. */
export function diffTrees(from: MergedTree, to: MergedTree): Change[] {
  return treeChanges(diffLayer(from, to), from);
}
