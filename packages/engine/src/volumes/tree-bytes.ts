// Size of a directory that containers write to, as docker counts it: bytes of what is no directory, a file with several names once.
import type { DirFs } from "@lapstrake/base";
import { sumTree } from "../state/sum-tree.ts";

/** Sum of the sizes beneath `dir`, in bytes. */
export function treeBytes(dir: DirFs): number {
  return sumTree(dir, ({ type, size }) => (type === "dir" ? 0 : size));
}
