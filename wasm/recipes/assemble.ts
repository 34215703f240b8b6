// A recipe and the tarball of its npm package -> the layers of an image.
import { gunzipSync } from "node:zlib";
import { LapError } from "@lapstrake/base";
import {
  LayerBuilder,
  BytesContent,
  TreeNode,
  contentBytes,
  findNode,
  treeFromTar,
  type LayerTree,
} from "@lapstrake/layers";
import type { Part, Recipe } from "./recipes.ts";

/** Layers, lowest first: one per archive, then one with the single files. `tarball` is what `npm pack` writes. */
export function assemble(recipe: Recipe, tarball: Uint8Array): LayerTree[] {
  const source = treeFromTar(gunzipSync(tarball));
  const archives = recipe.parts.filter((part) => part.kind === "archive");
  const others = recipe.parts.filter((part) => part.kind !== "archive");
  return [
    ...archives.map(({ from, to }) => beneath(to, treeFromTar(unzipped(bytesOf(source, from))))),
    files(source, others),
  ];
}

function bytesOf(source: LayerTree, path: string): Uint8Array {
  const node = findNode(source.root, `package/${path}`);
  if (node?.content === undefined) {
    throw new LapError("notFound", "ERR_LAP_RECIPE", `the package has no file "${path}"`, {
      hint: "the recipe is made for one exact version of the package",
    });
  }
  return contentBytes(node.content);
}

function unzipped(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

/** The same tree below a directory. */
function beneath(dir: string, tree: LayerTree): LayerTree {
  if (dir === "") return tree;
  const root = new TreeNode({ type: "dir", mode: 0o755 }, new Map([[dir, tree.root]]));
  tree.root.implied = false;
  root.implied = true;
  root.closed = false;
  return { root, hasLinks: tree.hasLinks };
}

function files(source: LayerTree, parts: readonly Exclude<Part, { kind: "archive" }>[]): LayerTree {
  const builder = new LayerBuilder();
  for (const part of parts) builder.add(part.to, nodeOf(source, part));
  return builder.finish();
}

function nodeOf(source: LayerTree, part: Exclude<Part, { kind: "archive" }>): TreeNode {
  if (part.kind === "dir") return new TreeNode({ type: "dir", mode: 0o1777 });
  if (part.kind === "link") return new TreeNode({ type: "symlink", mode: 0o777, target: part.target });
  const bytes = part.kind === "text" ? new TextEncoder().encode(part.text) : bytesOf(source, part.from);
  return new TreeNode({ type: "file", mode: 0o755, content: new BytesContent(bytes) });
}
