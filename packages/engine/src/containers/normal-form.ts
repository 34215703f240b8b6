// The upper of a Linux container as the layer that says the same with the least: overlayfs marks directories opaque that hide
// nothing, and carries the root along. Without both, the same change gives the same layer in either sandbox.
import type { LayerTree, LowerView } from "@lapstrake/layers";

type Node = LayerTree["root"];

/** Clears marks that hide nothing in `lower`; changes `tree`. */
export function toNormalForm(tree: LayerTree, lower: LowerView): LayerTree {
  clearIdleMarks(tree.root, "", lower);
  const below = lower.lookup("");
  if (below !== undefined && sameMetadata(tree.root, below)) tree.root.implied = true;
  return tree;
}

function clearIdleMarks(dir: Node, path: string, lower: LowerView): void {
  if (dir.opaque && lower.names(path).length === 0) dir.opaque = false;
  for (const [name, child] of dir.children ?? []) {
    if (child !== null && "children" in child && child.type === "dir") {
      clearIdleMarks(child, path === "" ? name : `${path}/${name}`, lower);
    }
  }
}

function sameMetadata(a: Node, b: Node): boolean {
  return (
    a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.mtimeSec === b.mtimeSec && a.mtimeNsec === b.mtimeNsec
  );
}
