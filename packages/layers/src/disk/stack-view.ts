// Extracted layers, top first, as one read-only view by path: what extraction, diff and mount preparation ask about the layers below.
import type { ByteString, DirFs } from "@lapstrake/base";
import { join } from "../tree/builder.ts";
import type { LowerView } from "../tree/changes.ts";
import { TreeNode } from "../tree/node.ts";
import { DiskContent, isWhiteout, statInit } from "./read-tree.ts";
import { opaqueName, type OverlayXattrs } from "./overlay-xattrs.ts";

/** Where the parts of a merged directory lie. */
interface Part {
  readonly dir: DirFs;
  readonly path: ByteString;
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
        const stat = part.dir.stat(join(part.path, name));
        seen.set(name, stat !== undefined && !isWhiteout(stat));
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
      parts.push({ dir, path: "" });
      if (this.#isOpaque({ dir, path: "" })) break;
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
      const place = { dir: part.dir, path: join(part.path, name) };
      const stat = place.dir.stat(place.path);
      if (stat === undefined) continue;
      if (isWhiteout(stat) || (node !== undefined && stat.type !== "dir")) break;
      node ??= this.#node(place, stat);
      if (stat.type !== "dir") break;
      parts.push(place);
      if (this.#isOpaque(place)) break;
    }
    return node === undefined ? undefined : { node, parts };
  }

  #node({ dir, path }: Part, stat: Parameters<typeof statInit>[0]): TreeNode {
    const node = new TreeNode(statInit(stat, readXattrs(dir, path, this.#space)));
    if (stat.type === "symlink") node.target = dir.readlink(path);
    if (stat.type === "file") node.content = new DiskContent(dir, path, stat.size);
    return node;
  }

  #isOpaque({ dir, path }: Part): boolean {
    if (!dir.features.xattrs) return false;
    const value = dir.getXattr(path, opaqueName(this.#space));
    return value?.length === 1 && value[0] === 0x79;
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
