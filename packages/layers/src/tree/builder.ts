// Members of a layer, in tar order -> its tree in overlay form. Whiteouts act on lower layers wherever they stand, hard links may
// come before their target, duplicates: the last wins (OCI image-spec layer.md "Applying Changesets"; facts of four engines in ADR).
import { LapError, type ByteString } from "@lapstrake/base";
import { MAX_SYMLINKS } from "../limits.ts";
import { classifyName, cleanPath, show } from "./names.ts";
import { LowerLink, TreeNode, impliedDir, type LayerTree, type TreeChild } from "./node.ts";

/**
 * How layers are read. `spec`: the OCI image specification, and what umoci does where it is silent. `overlay2`: what Docker's
 * overlay2 driver shows, its mistakes included.
 */
export type LayerMode = "spec" | "overlay2";

/** What the builder needs to know of the layers below; in memory that waits until they are merged. */
export interface LowerNames {
  /** lstat of a clean path in the merged lower layers. */
  lookup(path: ByteString): TreeNode | undefined;
}

/** Told of each step, so that a layer can be written to disk while it is read. Paths are clean. */
export interface BuilderEvents {
  /** A node appears; a file's content follows. */
  created(path: ByteString, node: TreeNode): void;
  linked(target: ByteString, path: ByteString): void;
  /** A name of this layer goes away, with everything beneath it. */
  removed(path: ByteString, node: TreeNode): void;
}

interface Place {
  readonly dir: TreeNode;
  /** Clean path of `dir`. */
  readonly path: ByteString;
}

export class LayerBuilder {
  readonly root: TreeNode = impliedDir();
  readonly #lower: LowerNames | undefined;
  readonly #events: BuilderEvents | undefined;
  readonly #mode: LayerMode;
  readonly #pending: { readonly path: ByteString; readonly link: LowerLink }[] = [];
  #hasLinks = false;

  constructor(options: { mode?: LayerMode; lower?: LowerNames; events?: BuilderEvents } = {}) {
    this.#mode = options.mode ?? "spec";
    this.#lower = options.lower;
    this.#events = options.events;
  }

  /** Adds a member. Returns false when the name is a whiteout or bookkeeping, and `node` was not used. */
  add(path: ByteString, node: TreeNode): boolean {
    const parts = cleanPath(path);
    const what = classifyName(parts);
    if (what.kind === "ignored") return false;
    if (parts.length === 0) return this.#setRoot(node);
    const last = parts.pop()!;
    const place = this.#parent(parts, path);
    if (what.kind === "opaque") place.dir.opaque = true;
    else if (what.kind === "whiteout") this.#whiteout(place, what.name, path);
    else if (node.type === "dir") this.#directory(place, last, node);
    else this.#put(place, last, node);
    return what.kind === "plain";
  }

  /** Adds a hard link to `target`, which may be missing so far. */
  link(path: ByteString, target: ByteString): void {
    const parts = cleanPath(path);
    const what = classifyName(parts);
    if (what.kind === "ignored") return;
    if (what.kind !== "plain" || parts.length === 0) throw invalid(path, "a hard link cannot have this name");
    const link = new LowerLink(cleanPath(target).join("/"));
    const last = parts.pop()!;
    const place = this.#parent(parts, path);
    const found = this.#find(link.target);
    if (found === undefined) {
      this.#put(place, last, link);
      this.#pending.push({ path: join(place.path, last), link });
    } else this.#attach(place, last, found, path);
  }

  /** The finished tree; hard links that still miss their target become the lower layers' business. */
  finish(): LayerTree {
    for (let progress = true; progress;) {
      progress = false;
      for (const [index, { path, link }] of this.#pending.entries()) {
        const place = this.#placeOf(path, link);
        const found = place === undefined ? undefined : this.#find(link.target);
        if (place !== undefined && found === undefined) continue;
        this.#pending.splice(index, 1);
        if (place !== undefined && found !== undefined) this.#attach(place.place, place.name, found, path);
        progress = true;
        break;
      }
    }
    if (this.#mode === "overlay2") {
      const open = this.#pending[0];
      if (open !== undefined)
        throw invalid(open.path, `hard link target "${show(open.link.target)}" is not in the layer`);
      this.root.opaque = false;
    }
    close(this.root);
    return { root: this.root, hasLinks: this.#hasLinks };
  }

  #setRoot(node: TreeNode): boolean {
    if (node.type !== "dir") throw invalid("/", "the root of a layer must be a directory");
    describe(this.root, node);
    return true;
  }

  /** Directory of `parts`: links of this layer, and of the layers below, are followed inside the root. */
  #parent(parts: readonly ByteString[], member: ByteString): Place {
    const todo = parts.toReversed();
    const trail: Place[] = [{ dir: this.root, path: "" }];
    for (let links = 0; todo.length > 0;) {
      const name = todo.pop()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const here = trail.at(-1)!;
      const child = this.#enter(here, name, member);
      if (child.type === "dir") {
        trail.push({ dir: child, path: join(here.path, name) });
        continue;
      }
      if (++links > MAX_SYMLINKS) throw invalid(member, "too many levels of symbolic links");
      if (child.target.startsWith("/")) trail.length = 1;
      todo.push(...child.target.split("/").toReversed());
    }
    return trail.at(-1)!;
  }

  /** The directory or link to walk through; makes the directory when the layer does not have it. */
  #enter(place: Place, name: ByteString, member: ByteString): TreeNode {
    const child = place.dir.children!.get(name);
    if (child instanceof TreeNode && (child.type === "dir" || child.type === "symlink")) return child;
    if (child !== undefined && child !== null) throw invalid(member, `"${show(name)}" is not a directory`);
    const made = impliedDir();
    if (child === null) {
      // What stood below was deleted by this layer: nothing of it is inherited.
      made.opaque = this.#mode === "spec";
      made.implied = false;
    } else if (this.#mode === "spec") {
      const below = this.#below(place, name);
      if (below?.type === "symlink") return below;
      if (below?.type === "dir") copyMetadata(made, below);
    }
    place.dir.children!.set(name, made);
    this.#events?.created(join(place.path, name), made);
    return made;
  }

  #below(place: Place, name: ByteString): TreeNode | undefined {
    return this.#lower?.lookup(join(place.path, name));
  }

  #whiteout({ dir }: Place, name: ByteString, member: ByteString): void {
    const child = dir.children!.get(name);
    if (child === undefined) dir.children!.set(name, null);
    else if (child !== null && this.#mode === "overlay2")
      throw invalid(member, "the layer adds and deletes the same name");
    else if (child instanceof TreeNode && child.type === "dir") child.opaque = true;
  }

  #directory(place: Place, name: ByteString, node: TreeNode): void {
    const child = place.dir.children!.get(name);
    if (child instanceof TreeNode && child.type === "dir") {
      describe(child, node);
      return;
    }
    // What this layer put here before, or a whiteout, hid the lower directory for good.
    if (child !== undefined) node.opaque = this.#mode === "spec";
    this.#put(place, name, node);
  }

  #put(place: Place, name: ByteString, child: TreeNode | LowerLink): void {
    this.#remove(place, name);
    place.dir.children!.set(name, child);
    if (child instanceof TreeNode) this.#events?.created(join(place.path, name), child);
  }

  #remove(place: Place, name: ByteString): void {
    const old = place.dir.children!.get(name);
    if (!(old instanceof TreeNode)) return;
    if (this.#mode === "overlay2" && old.type !== "dir")
      throw invalid(join(place.path, name), "the layer lists it twice");
    this.#events?.removed(join(place.path, name), old);
  }

  #attach(place: Place, name: ByteString, found: Found, member: ByteString): void {
    if (found.node.type === "dir") throw invalid(member, "a hard link to a directory");
    const path = join(place.path, name);
    if (path === found.path) return;
    this.#remove(place, name);
    place.dir.children!.set(name, found.node);
    this.#hasLinks = true;
    this.#events?.linked(found.path, path);
  }

  /** A node of this layer at a clean path; links on the way are followed inside the layer, the last name is not. */
  #find(path: ByteString): Found | undefined {
    const todo = path.split("/").toReversed();
    const trail: Place[] = [{ dir: this.root, path: "" }];
    for (let links = 0; todo.length > 0;) {
      const name = todo.pop()!;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const here = trail.at(-1)!;
      const node = this.#step(here, name);
      if (node === undefined) return undefined;
      const at = join(here.path, name);
      if (todo.length === 0) return { node, path: at };
      if (node.type === "dir") trail.push({ dir: node, path: at });
      else {
        if (node.type !== "symlink" || ++links > MAX_SYMLINKS) return undefined;
        if (node.target.startsWith("/")) trail.length = 1;
        todo.push(...node.target.split("/").toReversed());
      }
    }
    return { node: trail.at(-1)!.dir, path: trail.at(-1)!.path };
  }

  #step({ dir, path }: Place, name: ByteString): TreeNode | undefined {
    const child = dir.children!.get(name);
    if (child instanceof TreeNode) return child;
    if (child !== undefined) return undefined;
    const below = this.#lower?.lookup(join(path, name));
    return below?.type === "symlink" ? below : undefined;
  }

  /** Where a pending link stands, unless a later member took its name. */
  #placeOf(path: ByteString, link: LowerLink): { place: Place; name: ByteString } | undefined {
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? { node: this.root, path: "" } : this.#find(path.slice(0, slash));
    const name = path.slice(slash + 1);
    if (parent?.node.children?.get(name) !== link) return undefined;
    return { place: { dir: parent.node, path: parent.path }, name };
  }
}

interface Found {
  readonly node: TreeNode;
  readonly path: ByteString;
}

/** Metadata of a listed directory onto the node that stands for it; children and marks stay. */
function describe(onto: TreeNode, from: TreeNode): void {
  copyMetadata(onto, from);
  onto.implied = false;
}

/** Mode, owner, times and xattrs. */
export function copyMetadata(onto: TreeNode, from: TreeNode): void {
  onto.mode = from.mode;
  onto.uid = from.uid;
  onto.gid = from.gid;
  onto.mtimeSec = from.mtimeSec;
  onto.mtimeNsec = from.mtimeNsec;
  onto.atimeSec = from.atimeSec;
  onto.atimeNsec = from.atimeNsec;
  onto.xattrs = from.xattrs;
}

/** Computes `closed` bottom-up. */
export function close(node: TreeNode): boolean {
  let closed = true;
  for (const child of node.children?.values() ?? []) closed = isClosed(child) && closed;
  node.closed = closed;
  return closed;
}

function isClosed(child: TreeChild): boolean {
  return child instanceof TreeNode ? close(child) : false;
}

export function join(dir: ByteString, name: ByteString): ByteString {
  return dir === "" ? name : `${dir}/${name}`;
}

function invalid(path: ByteString, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_LAYER_INVALID", `invalid layer: "${show(path)}": ${why}`);
}
