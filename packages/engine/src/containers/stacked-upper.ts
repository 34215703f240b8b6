// The upper of a forked container and the frozen ones beneath it as one layer: what it changed of its image, however often it was
// forked. In overlay form, as each of them is (overlayfs.rst, "whiteouts and opaque directories").
import { TreeNode, type LayerTree, type TreeChild } from "@lapstrake/layers";

/** `upper` over `lower` as one layer that says the same; changes `upper`. */
export function stackLayers(lower: LayerTree, upper: LayerTree): LayerTree {
  stackDirs(lower.root, upper.root);
  return { root: upper.root, hasLinks: lower.hasLinks || upper.hasLinks };
}

function stackDirs(lower: TreeNode, upper: TreeNode): void {
  if (upper.opaque) return;
  for (const [name, below] of lower.children!) {
    const above = upper.children!.get(name);
    if (above === undefined && !upper.children!.has(name)) upper.children!.set(name, below);
    else if (above instanceof TreeNode && above.type === "dir") stackOn(below, above);
  }
  upper.opaque = lower.opaque;
  upper.closed = upper.closed && lower.closed;
}

/** A directory over a deleted name, or over something else, begins anew. */
function stackOn(below: TreeChild, above: TreeNode): void {
  if (below instanceof TreeNode && below.type === "dir") stackDirs(below, above);
  else above.opaque = true;
}
