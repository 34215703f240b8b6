// The upper of a container in both sandboxes, in one form on disk: what `diff`, `commit` and a restarted Wasm container read.
import type { DirFs } from "@lapstrake/base";
import type { UnionFs } from "../fs/union-fs.ts";
import { writeTar } from "../tar/writer.ts";
import { treeChanges, viewOf, type Change } from "../tree/changes.ts";
import { treeEntries } from "../tree/entries.ts";
import { mergeLayers } from "../tree/merge.ts";
import type { LayerTree } from "../tree/node.ts";
import { readUpper, type ReadOptions } from "./read-tree.ts";
import { StackView } from "./stack-view.ts";
import { writeTree } from "./write-tree.ts";
import type { WriteOptions } from "./layer-writer.ts";

/** Writes what was changed in `fs` into the empty directory `dir`, in overlay form. */
export function writeUpper(fs: UnionFs, dir: DirFs, options: WriteOptions = {}): void {
  writeTree(fs.upperTree(), dir, { lower: viewOf(fs.base), ...options });
}

/** Applies an upper directory to a fresh `fs`. File bytes are read when asked: `dir` must stay open. */
export function loadUpper(fs: UnionFs, dir: DirFs, options: ReadOptions = {}): void {
  fs.adopt(readUpper(dir, options));
}

/** What an upper changes, as `docker diff` lists it. `lowers` are layer directories top first, or trees lowest first. */
export function upperChanges(
  upper: DirFs,
  lowers: readonly DirFs[] | readonly LayerTree[],
  options: ReadOptions = {},
): Change[] {
  const tree = readUpper(upper, options);
  const first = lowers[0];
  if (first === undefined || "root" in first) return treeChanges(tree, mergeLayers(lowers as readonly LayerTree[]));
  return treeChanges(tree, new StackView(lowers as readonly DirFs[], options.overlayXattrs));
}

/** The layer of a tree as an uncompressed tar; the same tree gives the same bytes. */
export async function* layerTar(tree: LayerTree): AsyncGenerator<Uint8Array, void, undefined> {
  for (const chunk of writeTar(treeEntries(tree))) yield await Promise.resolve(chunk);
}
