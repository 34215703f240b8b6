// A layer tree in memory -> a directory in overlay form: what a Wasm container changed becomes an upper like any other.
import type { ByteString, DirFs } from "@lapstrake/base";
import { LapError } from "@lapstrake/base";
import { join } from "../tree/builder.ts";
import { sortedChildren } from "../tree/entries.ts";
import { show } from "../tree/names.ts";
import { TreeNode, type LayerTree } from "../tree/node.ts";
import { LayerWriter, type WriteOptions } from "./layer-writer.ts";

/** Writes `tree` into the empty directory `dir`. */
export function writeTree(tree: LayerTree, dir: DirFs, options: WriteOptions = {}): void {
  const writer = new LayerWriter(dir, options);
  try {
    writeChildren(tree.root, "", writer, new Map());
    writer.finish(tree.root);
  } finally {
    writer.close();
  }
}

function writeChildren(dir: TreeNode, path: ByteString, writer: LayerWriter, seen: Map<TreeNode, ByteString>): void {
  for (const [name, child] of sortedChildren(dir)) {
    const at = join(path, name);
    if (child === null) continue;
    if (!(child instanceof TreeNode)) {
      throw new LapError("invalidArgument", "ERR_LAP_LAYER_INVALID", `"${show(at)}" is a hard link into another layer`);
    }
    writeNode(child, at, writer, seen);
  }
}

function writeNode(node: TreeNode, path: ByteString, writer: LayerWriter, seen: Map<TreeNode, ByteString>): void {
  const first = seen.get(node);
  if (first !== undefined) {
    writer.linked(first, path);
    return;
  }
  writer.created(path, node);
  if (node.type === "dir") {
    writeChildren(node, path, writer, seen);
    return;
  }
  seen.set(node, path);
  if (node.type === "file" && node.content !== undefined) writer.copy(node.content);
  else if (node.type === "file") writer.end(0);
}
