// The lower layers of the contract suite as trees.
import { toByteString } from "@lapstrake/base";
import { BytesContent, LayerBuilder, TreeNode, type LayerTree } from "@lapstrake/layers";
import { LOWER } from "./layers-suite.ts";

/** The layers, lowest first. */
export function lowerTrees(): LayerTree[] {
  return LOWER.map((members) => {
    const builder = new LayerBuilder();
    for (const member of members) {
      const [path, text] = member.split(": ") as [string, string?];
      const [name, target] = path.split(" -> ") as [string, string?];
      builder.add(toByteString(name), nodeOf(name, text, target));
    }
    return builder.finish();
  });
}

function nodeOf(name: string, text: string | undefined, target: string | undefined): TreeNode {
  if (target !== undefined) return new TreeNode({ type: "symlink", mode: 0o777, target: toByteString(target) });
  if (name.endsWith("/")) return new TreeNode({ type: "dir", mode: 0o755, mtimeSec: 1000 });
  return new TreeNode({
    type: "file",
    mode: 0o644,
    mtimeSec: 1000,
    content: new BytesContent(new TextEncoder().encode(text ?? "")),
  });
}
