// What a container wrote, in bytes: the regular files of its upper, each inode once. For ps -s, prune and df.
import { existsSync } from "node:fs";
import { TreeNode } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import { withUpper } from "./changes.ts";

/** Sum of the sizes of the files it added or changed; 0 for one that is removed meanwhile. */
export async function containerSizeBytes(engine: Engine, record: ContainerRecord): Promise<number> {
  try {
    return await withUpper(engine, record, ({ root }) => Promise.resolve(sizeBelow(root)));
  } catch (error) {
    if (existsSync(engine.dir(record))) throw error;
    return 0;
  }
}

/** Bytes of the files beneath a node, each once. */
export function sizeBelow(node: TreeNode, seen: Set<TreeNode> = new Set()): number {
  if (seen.has(node)) return 0;
  seen.add(node);
  const own = node.type === "file" ? (node.content?.size ?? 0) : 0;
  const children = [...(node.children?.values() ?? [])].filter((child) => child instanceof TreeNode);
  return children.reduce((sum, child) => sum + sizeBelow(child, seen), own);
}
