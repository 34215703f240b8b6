// Test helper: a layer from a short list of members, in the order given ("etc/" is a directory, "->" a link, "=>" a hard link).
import { toByteString } from "@lapstrake/base";
import { LayerBuilder, type LayerMode } from "../tree/builder.ts";
import { BytesContent } from "../tree/content.ts";
import { TreeNode, type LayerTree } from "../tree/node.ts";

/** `layer(["etc/", "etc/passwd: text", "bin -> usr/bin", "b => a", ".wh.gone", "old/.wh..wh..opq"])`. */
export function layer(members: readonly string[], mode: LayerMode = "spec"): LayerTree {
  const builder = new LayerBuilder({ mode });
  for (const member of members) add(builder, member);
  return builder.finish();
}

function add(builder: LayerBuilder, member: string): void {
  const hard = member.split(" => ");
  const soft = member.split(" -> ");
  const text = member.split(": ");
  if (hard.length === 2) builder.link(toByteString(hard[0]!), toByteString(hard[1]!));
  else if (soft.length === 2) {
    builder.add(toByteString(soft[0]!), new TreeNode({ type: "symlink", mode: 0o777, target: toByteString(soft[1]!) }));
  } else if (member.endsWith("/")) {
    builder.add(toByteString(member), new TreeNode({ type: "dir", mode: 0o755, mtimeSec: 1000 }));
  } else {
    const content = new BytesContent(new TextEncoder().encode(text[1] ?? ""));
    builder.add(toByteString(text[0]!), new TreeNode({ type: "file", mode: 0o644, mtimeSec: 1000, content }));
  }
}
