// A layer tree -> its members in a fixed order: what the tar writer and every listing take. Same tree, same members, whatever
// order the changes were made in (OCI image-spec layer.md "Representing Changes").
import type { ByteString, FileType } from "@lapstrake/base";
import { join } from "./builder.ts";
import type { Content } from "./content.ts";
import { OPAQUE_NAME, WHITEOUT_PREFIX, refuseWhiteoutName } from "./names.ts";
import { LowerLink, TreeNode, type LayerTree, type TreeChild } from "./node.ts";
import { compareBytes } from "./order.ts";

/** One member of a layer: what a tar header says, and where the bytes are. */
export interface LayerEntry {
  /** Clean path, without leading slash; "" is the root. */
  readonly path: ByteString;
  readonly type: FileType | "hardlink";
  /** mode & 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content; 0 unless a regular file. */
  readonly size: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  /** Target of a symbolic link; clean path of a hard link's target. */
  readonly target: ByteString;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array> | undefined;
  /** Bytes of a regular file. */
  readonly content: Content | undefined;
}

/** The members of a layer, parents first, names in byte order; sockets are left out, as every engine does. */
export function treeEntries(tree: LayerTree): LayerEntry[] {
  const out: LayerEntry[] = [];
  if (!tree.root.implied) out.push(entryOf("", tree.root));
  list(tree.root, "", out, new Map());
  return out;
}

function list(dir: TreeNode, path: ByteString, out: LayerEntry[], seen: Map<TreeNode, ByteString>): void {
  if (dir.opaque) out.push(markerEntry(join(path, OPAQUE_NAME)));
  for (const [name, child] of sortedChildren(dir)) {
    const at = join(path, name);
    refuseWhiteoutName(at, name);
    if (child === null) out.push(markerEntry(join(path, WHITEOUT_PREFIX + name)));
    else if (child instanceof LowerLink) out.push(hardlinkEntry(at, child.target));
    else listNode(child, at, out, seen);
  }
}

function listNode(node: TreeNode, path: ByteString, out: LayerEntry[], seen: Map<TreeNode, ByteString>): void {
  if (node.type === "socket") return;
  if (node.type === "dir") {
    if (!node.implied) out.push(entryOf(path, node));
    list(node, path, out, seen);
    return;
  }
  const first = seen.get(node);
  if (first === undefined) seen.set(node, path);
  out.push(first === undefined ? entryOf(path, node) : { ...entryOf(path, node), ...hardlinkPart(first) });
}

/** Children in byte order of their names. */
export function sortedChildren(dir: TreeNode): [ByteString, TreeChild][] {
  return [...(dir.children ?? [])].sort((a, b) => compareBytes(a[0], b[0]));
}

function hardlinkPart(target: ByteString): Pick<LayerEntry, "type" | "size" | "target" | "content" | "xattrs"> {
  return { type: "hardlink", size: 0, target, content: undefined, xattrs: undefined };
}

function hardlinkEntry(path: ByteString, target: ByteString): LayerEntry {
  return { ...markerEntry(path), ...hardlinkPart(target) };
}

/** Whiteouts and opaque marks: empty files, always the same bytes. */
function markerEntry(path: ByteString): LayerEntry {
  return entryOf(path, new TreeNode({ type: "file", mode: 0 }));
}

function entryOf(path: ByteString, node: TreeNode): LayerEntry {
  return {
    path,
    type: node.type,
    mode: node.mode,
    uid: node.uid,
    gid: node.gid,
    size: node.type === "file" ? node.size : 0,
    mtimeSec: node.mtimeSec,
    mtimeNsec: node.mtimeNsec,
    target: node.target,
    rdevMajor: node.rdevMajor,
    rdevMinor: node.rdevMinor,
    xattrs: node.xattrs,
    content: node.content,
  };
}
