// A layer from a plain record of files: what a COPY-only image needs. Same files, same bytes.
import { toByteString } from "@lapstrake/base";
import { LayerBuilder } from "./builder.ts";
import { BytesContent } from "./content.ts";
import { TreeNode, type LayerTree } from "./node.ts";

/** Metadata of every file; directories are 0755. */
export interface FilesOptions {
  /** Default 0644. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since the epoch; default 0, so that the digest depends on the content alone. */
  readonly mtimeSec?: number;
}

/** `filesLayer({ "app/main.js": "…" })`: parents are made, text is UTF-8. */
export function filesLayer(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: FilesOptions = {},
): LayerTree {
  const builder = new LayerBuilder();
  const { mode = 0o644, uid = 0, gid = 0, mtimeSec = 0 } = options;
  const made = new Set<string>();
  for (const path of Object.keys(files).toSorted()) {
    const parts = path.split("/");
    for (let i = 1; i < parts.length; i++) {
      const parent = parts.slice(0, i).join("/");
      if (parent === "" || made.has(parent)) continue;
      made.add(parent);
      builder.add(toByteString(parent), new TreeNode({ type: "dir", mode: 0o755, uid, gid, mtimeSec }));
    }
    const value = files[path]!;
    const content = new BytesContent(typeof value === "string" ? new TextEncoder().encode(value) : value);
    builder.add(toByteString(path), new TreeNode({ type: "file", mode, uid, gid, mtimeSec, content }));
  }
  return builder.finish();
}
