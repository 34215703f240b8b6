// Layer trees -> one merged tree, bottom to top (overlayfs.rst "Upper and Lower", "whiteouts and opaque directories").
// Subtrees that only one layer has are shared, not copied; the cost of a lookup afterwards does not know how many layers there were.
import { LapError, type ByteString } from "@lapstrake/base";
import { MAX_SYMLINKS } from "../limits.ts";
import { copyMetadata, type LayerMode } from "./builder.ts";
import { show } from "./names.ts";
import {
  LowerLink,
  TreeNode,
  childNode,
  impliedDir,
  withChildren,
  type LayerTree,
  type MergedTree,
  type TreeChild,
} from "./node.ts";

/** Merges `layers`, lowest first. */
export function mergeLayers(layers: readonly LayerTree[], mode: LayerMode = "spec"): MergedTree {
  let root = impliedDir();
  for (const layer of layers) root = mergeOne(root, layer.root, mode);
  if (mode === "overlay2") return { root, links: layers.reduce<Links>(linksOfLayer, new Map()) };
  const mayLink = layers.some((layer) => layer.hasLinks || !layer.root.closed);
  return { root, links: mayLink ? countLinks(root) : new Map() };
}

/** One more layer on a merged tree. */
export function mergeOnto(base: MergedTree, layer: LayerTree, mode: LayerMode = "spec"): MergedTree {
  const root = mergeOne(base.root, layer.root, mode);
  if (mode === "overlay2") return { root, links: linksOfLayer(base.links, layer) };
  const mayLink = base.links.size > 0 || layer.hasLinks || !layer.root.closed;
  return { root, links: mayLink ? countLinks(root) : base.links };
}

type Links = ReadonlyMap<TreeNode, number>;

/** The kernel shows the link count of the layer's own filesystem, whatever the layers above hide. */
function linksOfLayer(links: Links, layer: LayerTree): Links {
  return layer.hasLinks ? new Map([...links, ...countLinks(layer.root)]) : links;
}

/** Entries of an implied directory where the tree below has a symbolic link: they belong behind it. */
interface Detour {
  readonly dir: readonly ByteString[];
  readonly upper: TreeNode;
}

function mergeOne(lower: TreeNode, upper: TreeNode, mode: LayerMode): TreeNode {
  const merge = new Merge(lower, mode);
  let root = merge.dirs(upper.opaque && mode === "spec" ? undefined : lower, upper, []);
  if (upper.opaque && upper.implied && mode === "spec") copyMetadata(root, lower);
  for (const detour of merge.detours) {
    root = new Merge(lower, mode).dirs(root, wrap(detour), []);
  }
  return root;
}

function wrap({ dir, upper }: Detour): TreeNode {
  let node = upper;
  for (const name of dir.toReversed()) {
    const parent = impliedDir();
    parent.children!.set(name, node);
    parent.closed = false;
    node = parent;
  }
  return node;
}

class Merge {
  readonly detours: Detour[] = [];
  readonly #lowerRoot: TreeNode;
  readonly #mode: LayerMode;

  constructor(lowerRoot: TreeNode, mode: LayerMode) {
    this.#lowerRoot = lowerRoot;
    this.#mode = mode;
  }

  dirs(lower: TreeNode | undefined, upper: TreeNode, path: ByteString[]): TreeNode {
    if (lower === undefined && upper.closed && !upper.opaque) return upper;
    const children = new Map<ByteString, TreeChild>(lower?.children);
    for (const [name, child] of upper.children!) this.#child(children, lower, name, child, path);
    const merged = withChildren(upper, children);
    merged.implied = upper.implied && (lower?.implied ?? true);
    if (upper.implied && lower !== undefined && this.#mode === "spec") copyMetadata(merged, lower);
    return merged;
  }

  #child(
    children: Map<ByteString, TreeChild>,
    lower: TreeNode | undefined,
    name: ByteString,
    child: TreeChild,
    path: ByteString[],
  ): void {
    if (child === null || (this.#mode === "overlay2" && isZeroDevice(child))) {
      children.delete(name);
      return;
    }
    if (child instanceof LowerLink) {
      children.set(name, this.#target(child));
      return;
    }
    if (child.type !== "dir") {
      children.set(name, child);
      return;
    }
    const under = lower === undefined ? undefined : childNode(lower, name);
    const below = child.opaque ? undefined : under;
    path.push(name);
    if (below?.type === "symlink" && child.implied && this.#mode === "spec") this.#detour(children, name, child, path);
    else children.set(name, this.#directory(under, child, path));
    path.pop();
  }

  /** A directory of the layer over what is under it; an opaque one hides the names, and an unlisted one still takes the metadata. */
  #directory(under: TreeNode | undefined, child: TreeNode, path: ByteString[]): TreeNode {
    if (under?.type !== "dir") return this.dirs(undefined, child, path);
    if (!child.opaque) return this.dirs(under, child, path);
    const merged = this.dirs(undefined, child, path);
    if (child.implied && this.#mode === "spec") copyMetadata(merged, under);
    return merged;
  }

  #detour(children: Map<ByteString, TreeChild>, name: ByteString, child: TreeNode, path: readonly ByteString[]): void {
    const target = resolveDir(this.#lowerRoot, path);
    if (target === undefined) children.set(name, this.dirs(undefined, child, [...path]));
    else this.detours.push({ dir: target, upper: child });
  }

  #target(link: LowerLink): TreeNode {
    const found = findNode(this.#lowerRoot, link.target);
    if (found !== undefined && found.type !== "dir") return found;
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_LAYER_INVALID",
      `invalid layer: hard link target "${show(link.target)}" ${
        found === undefined ? "does not exist" : "is a directory"
      }`,
    );
  }
}

function isZeroDevice(child: TreeChild): boolean {
  return child instanceof TreeNode && child.type === "char" && child.rdevMajor === 0 && child.rdevMinor === 0;
}

/** Where `path` leads when every link is followed inside the root; missing tails stay. Undefined when it ends in a non-directory. */
export function resolveDir(root: TreeNode, path: readonly ByteString[]): ByteString[] | undefined {
  const todo = path.toReversed();
  const out: ByteString[] = [];
  const trail: (TreeNode | undefined)[] = [root];
  for (let links = 0; todo.length > 0;) {
    const name = todo.pop()!;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      out.pop();
      trail.length = out.length + 1;
      continue;
    }
    const here = trail.at(-1);
    const child = here === undefined ? undefined : childNode(here, name);
    if (child?.type === "symlink") {
      if (++links > MAX_SYMLINKS) return undefined;
      if (child.target.startsWith("/")) out.length = 0;
      trail.length = out.length + 1;
      todo.push(...child.target.split("/").toReversed());
      continue;
    }
    if (child !== undefined && child.type !== "dir") return undefined;
    out.push(name);
    trail.push(child);
  }
  return out;
}

/** lstat of a clean path in a merged tree: links on the way are followed, the last name is not. */
export function findNode(root: TreeNode, path: ByteString): TreeNode | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  const last = parts.pop();
  if (last === undefined) return root;
  const dir = resolveDir(root, parts);
  let node: TreeNode | undefined = root;
  for (const name of dir ?? []) node = node === undefined ? undefined : childNode(node, name);
  return dir === undefined || node === undefined ? undefined : childNode(node, last);
}

/** Names per node, for nodes with more than one. */
function countLinks(root: TreeNode): Map<TreeNode, number> {
  const seen = new Set<TreeNode>();
  const links = new Map<TreeNode, number>();
  const todo = [root];
  for (let dir = todo.pop(); dir !== undefined; dir = todo.pop()) {
    for (const child of dir.children!.values()) {
      if (!(child instanceof TreeNode)) continue;
      if (child.type === "dir") todo.push(child);
      else if (seen.has(child)) links.set(child, (links.get(child) ?? 1) + 1);
      else seen.add(child);
    }
  }
  return links;
}
