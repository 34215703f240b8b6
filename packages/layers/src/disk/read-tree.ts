// A directory in overlay form (an upper, or an extracted layer) -> a layer tree. File bytes stay on disk and are read when asked,
// through the same DirFs, which must stay open as long as the tree is used.
import { LapError, type ByteString, type DirFs, type FileStat } from "@lapstrake/base";
import { close, join } from "../tree/builder.ts";
import type { Content } from "../tree/content.ts";
import { show } from "../tree/names.ts";
import { TreeNode, type LayerTree, type TreeChild } from "../tree/node.ts";
import {
  hasXattrWhiteouts,
  isOpaqueDir,
  isWhiteoutEntry,
  unescapeXattr,
  type OverlayXattrs,
} from "./overlay-xattrs.ts";

/** How a directory is read. */
export interface ReadOptions {
  readonly overlayXattrs?: OverlayXattrs | undefined;
}

/** The layer that lies in `dir`. Throws `ERR_LAP_UPPER_UNSUPPORTED` for uppers of mounts with redirect_dir or metacopy. */
export function readUpper(dir: DirFs, options: ReadOptions = {}): LayerTree {
  const reader = new Reader(dir, options.overlayXattrs ?? "trusted");
  const root = reader.directory("", dir.stat("")!);
  close(root);
  return { root, hasLinks: reader.hasLinks };
}

class Reader {
  hasLinks = false;
  readonly #dir: DirFs;
  readonly #space: OverlayXattrs;
  /** Nodes of inodes with several names. */
  readonly #inodes = new Map<string, TreeNode>();

  constructor(dir: DirFs, space: OverlayXattrs) {
    this.#dir = dir;
    this.#space = space;
  }

  directory(path: ByteString, stat: FileStat): TreeNode {
    const children = new Map<ByteString, TreeChild>();
    const node = new TreeNode(statInit(stat, this.#xattrs(path)), children);
    node.opaque = isOpaqueDir(this.#dir, path, this.#space);
    const byXattr = hasXattrWhiteouts(this.#dir, path, this.#space);
    for (const { name } of this.#dir.readdir(path)) {
      const at = join(path, name);
      const child = this.#dir.stat(at);
      if (child === undefined) continue;
      const gone = isWhiteoutEntry(this.#dir, at, child, this.#space, byXattr);
      children.set(name, gone ? null : this.#child(at, child));
    }
    return node;
  }

  #child(path: ByteString, stat: FileStat): TreeChild {
    if (stat.type === "dir") return this.directory(path, stat);
    const key = `${stat.dev}:${stat.ino}`;
    const known = stat.nlink > 1 ? this.#inodes.get(key) : undefined;
    if (known !== undefined) {
      this.hasLinks = true;
      return known;
    }
    const node = new TreeNode(statInit(stat, this.#xattrs(path)));
    if (stat.type === "symlink") node.target = this.#dir.readlink(path);
    if (stat.type === "file") node.content = new DiskContent(this.#dir, path, stat.size);
    if (stat.nlink > 1) this.#inodes.set(key, node);
    return node;
  }

  #xattrs(path: ByteString): ReadonlyMap<ByteString, Uint8Array> | undefined {
    if (!this.#dir.features.xattrs) return undefined;
    const names = this.#dir.listXattrs(path);
    if (names.length === 0) return undefined;
    const out = new Map<ByteString, Uint8Array>();
    for (const name of names) this.#xattr(path, name, out);
    return out.size === 0 ? undefined : out;
  }

  #xattr(path: ByteString, name: ByteString, out: Map<ByteString, Uint8Array>): void {
    if (name === `${this.#space}.overlay.redirect` || name === `${this.#space}.overlay.metacopy`) {
      throw new LapError("failedPrecondition", "ERR_LAP_UPPER_UNSUPPORTED", `"${show(path)}" carries ${name}`, {
        hint: "mount the overlay with redirect_dir=off and metacopy=off",
      });
    }
    const shown = unescapeXattr(name, this.#space);
    const value = shown === undefined ? undefined : this.#dir.getXattr(path, name);
    if (shown !== undefined && value !== undefined) out.set(shown, value);
  }
}

/** Node fields of an lstat. */
export function statInit(
  stat: FileStat,
  xattrs?: ReadonlyMap<ByteString, Uint8Array>,
): ConstructorParameters<typeof TreeNode>[0] {
  return {
    type: stat.type,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    mtimeSec: stat.mtime.sec,
    mtimeNsec: stat.mtime.nsec,
    atimeSec: stat.atime.sec,
    atimeNsec: stat.atime.nsec,
    rdevMajor: stat.rdevMajor,
    rdevMinor: stat.rdevMinor,
    xattrs,
  };
}

/** Bytes of a file on disk; opened for each read, so that thousands of them cost no descriptor. */
export class DiskContent implements Content {
  readonly size: number;
  readonly #dir: DirFs;
  readonly #path: ByteString;

  constructor(dir: DirFs, path: ByteString, size: number) {
    this.#dir = dir;
    this.#path = path;
    this.size = size;
  }

  read(position: number, into: Uint8Array, offset: number, length: number): number {
    using file = this.#dir.open(this.#path, { read: true });
    let done = 0;
    for (let got = -1; got !== 0 && done < length; done += got) {
      got = file.read(into, offset + done, length - done, position + done);
    }
    return done;
  }
}
