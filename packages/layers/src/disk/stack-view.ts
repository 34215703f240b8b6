// Extracted layers, top first, as one read-only view by path: what extraction, diff and mount preparation ask about the layers below.
import type { ByteString, DirFs } from "@lapstrake/base";
import { join } from "../tree/builder.ts";
import type { LowerView } from "../tree/changes.ts";
import { TreeNode } from "../tree/node.ts";
import { DiskContent, statInit } from "./read-tree.ts";
import { hasXattrWhiteouts, isOpaqueDir, isWhiteoutEntry, type OverlayXattrs } from "./overlay-xattrs.ts";

/** Where the parts of a merged directory lie. */
interface Part {
  readonly dir: DirFs;
  readonly path: ByteString;
  /** Files in it may be whiteouts by attribute. */
  readonly byXattr: boolean;
}

interface Found {
  readonly node: TreeNode;
  readonly parts: readonly Part[];
}

export class StackView implements LowerView {
  readonly #layers: readonly DirFs[];
  readonly #space: OverlayXattrs;
  /** Directories that were looked at. */
  readonly #dirs = new Map<ByteString, Found | undefined>();

  /** `layers` are directories in overlay form, top first. */
  constructor(layers: readonly DirFs[], space: OverlayXattrs = "trusted") {
    this.#layers = layers;
    this.#space = space;
  }

  lookup(path: ByteString): TreeNode | undefined {
    return this.#find(path)?.node;
  }

  names(path: ByteString): ByteString[] {
    const found = this.#find(path);
    const seen = new Map<ByteString, boolean>();
    for (const part of found?.parts ?? []) {
      for (const { name } of part.dir.readdir(part.path)) {
        if (seen.has(name)) continue;
        const at = join(part.path, name);
        const stat = part.dir.stat(at);
        seen.set(name, stat !== undefined && !isWhiteoutEntry(part.dir, at, stat, this.#space, part.byXattr));
      }
    }
    return [...seen].filter(([, shown]) => shown).map(([name]) => name);
  }

  #find(path: ByteString): Found | undefined {
    if (this.#dirs.has(path)) return this.#dirs.get(path);
    const found = path === "" ? this.#root() : this.#child(path);
    if (found === undefined || found.node.type === "dir") this.#dirs.set(path, found);
    return found;
  }

  #root(): Found | undefined {
    const parts: Part[] = [];
    for (const dir of this.#layers) {
      parts.push(this.#part(dir, ""));
      if (isOpaqueDir(dir, "", this.#space)) break;
    }
    const stat = this.#layers[0]?.stat("");
    return stat === undefined ? undefined : { node: new TreeNode(statInit(stat)), parts };
  }

  #child(path: ByteString): Found | undefined {
    const slash = path.lastIndexOf("/");
    const parent = this.#find(slash < 0 ? "" : path.slice(0, slash));
    const name = path.slice(slash + 1);
    let node: TreeNode | undefined;
    const parts: Part[] = [];
    for (const part of parent?.parts ?? []) {
      const at = join(part.path, name);
      const stat = part.dir.stat(at);
      if (stat === undefined) continue;
      if (isWhiteoutEntry(part.dir, at, stat, this.#space, part.byXattr)) break;
      if (node !== undefined && stat.type !== "dir") break;
      node ??= this.#node(part.dir, at, stat);
      if (stat.type !== "dir") break;
      parts.push(this.#part(part.dir, at));
      if (isOpaqueDir(part.dir, at, this.#space)) break;
    }
    return node === undefined ? undefined : { node, parts };
  }

  #node(dir: DirFs, path: ByteString, stat: Parameters<typeof statInit>[0]): TreeNode {
    const node = new TreeNode(statInit(stat, readXattrs(dir, path, this.#space)));
    if (stat.type === "symlink") node.target = dir.readlink(path);
    if (stat.type === "file") node.content = new DiskContent(dir, path, stat.size);
    return node;
  }

  #part(dir: DirFs, path: ByteString): Part {
    return { dir, path, byXattr: hasXattrWhiteouts(dir, path, this.#space) };
  }
}

function readXattrs(
  dir: DirFs,
  path: ByteString,
  space: OverlayXattrs,
): ReadonlyMap<ByteString, Uint8Array> | undefined {
  if (!dir.features.xattrs) return undefined;
  const out = new Map<ByteString, Uint8Array>();
  for (const name of dir.listXattrs(path)) {
    const value = name.startsWith(`${space}.overlay.`) ? undefined : dir.getXattr(path, name);
    if (value !== undefined) out.set(name, value);
  }
  return out.size === 0 ? undefined : out;
}
