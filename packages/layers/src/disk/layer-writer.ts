// Nodes of a layer -> a directory in overlay form: whiteouts are 0:0 devices, opaque directories carry an xattr (overlayfs.rst).
// Every write goes beneath the directory's descriptor; links are data and are never followed; directories get their final mode
// and times last, so that nothing disturbs them.
import { LapError, errorCode, type ByteString, type DirFs, type FileHandle } from "@lapstrake/base";
import type { BuilderEvents } from "../tree/builder.ts";
import { join } from "../tree/builder.ts";
import type { LowerView } from "../tree/changes.ts";
import type { Content } from "../tree/content.ts";
import { show } from "../tree/names.ts";
import { TreeNode, type TreeChild } from "../tree/node.ts";
import {
  LOOK_INSIDE,
  OPAQUE_VALUE,
  WHITEOUT_VALUE,
  escapeXattr,
  isOpaqueDir,
  opaqueName,
  whiteoutName,
  type OverlayXattrs,
} from "./overlay-xattrs.ts";

/** How a layer goes to disk. */
export interface WriteOptions {
  /** The layers below: whiteouts and opaque marks with nothing below are left out. Absent: all are written. */
  readonly lower?: LowerView | undefined;
  readonly overlayXattrs?: OverlayXattrs | undefined;
  /** Set owners; false for a filesystem of one user. Default true. */
  readonly owners?: boolean | undefined;
}

const COPY_BYTES = 1024 * 1024;
const LAST_SLASH = "/";

export class LayerWriter implements BuilderEvents {
  readonly #root: DirFs;
  readonly #lower: LowerView | undefined;
  readonly #space: OverlayXattrs;
  readonly #owners: boolean;
  #file: { readonly handle: FileHandle; readonly path: ByteString; readonly node: TreeNode; end: number } | undefined;
  /** The directory of the last member, open. */
  #near: { readonly path: ByteString; readonly dir: DirFs } | undefined;

  constructor(root: DirFs, options: WriteOptions = {}) {
    this.#root = root;
    this.#lower = options.lower;
    this.#space = options.overlayXattrs ?? "trusted";
    this.#owners = options.owners ?? true;
  }

  created(path: ByteString, node: TreeNode): void {
    const { dir, name } = this.#at(path);
    if (node.type === "dir") dir.mkdir(name, 0o700);
    else if (node.type === "file") {
      const handle = dir.open(name, { write: true, create: true, exclusive: true, mode: 0o600 });
      this.#file = { handle, path, node, end: 0 };
    } else {
      this.#special(dir, name, path, node);
      this.#metadata(dir, name, path, node);
    }
  }

  #special(dir: DirFs, name: ByteString, path: ByteString, node: TreeNode): void {
    if (node.type === "symlink") {
      dir.symlink(node.target, name);
      return;
    }
    this.#need("mknod", path, node.type);
    const { type, mode, rdevMajor, rdevMinor } = node;
    if (type === "char" && rdevMajor === 0 && rdevMinor === 0) {
      throw new LapError(
        "invalidArgument",
        "ERR_LAP_LAYER_INVALID",
        `"${show(path)}" is a 0:0 device, which overlayfs takes for a deletion`,
      );
    }
    dir.mknod(name, type, mode, rdevMajor, rdevMinor);
  }

  /** Bytes of the file that was created last. */
  data(bytes: Uint8Array, position: number): void {
    const file = this.#file;
    if (file === undefined) return;
    file.handle.write(bytes, 0, bytes.length, position);
    file.end = position + bytes.length;
  }

  /** The file is complete; `size` is its length, which a hole at the end may exceed the data. */
  end(size: number): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    if (file.end < size) file.handle.truncate(size);
    file.handle.close();
    const { dir, name } = this.#at(file.path);
    this.#metadata(dir, name, file.path, file.node);
  }

  /** Writes a whole content as the file that was created last. */
  copy(content: Content): void {
    const buffer = new Uint8Array(Math.min(COPY_BYTES, Math.max(1, content.size)));
    for (const { start, length } of content.extents?.() ?? [{ start: 0, length: content.size }]) {
      for (let done = 0; done < length;) {
        const count = content.read(start + done, buffer, 0, Math.min(buffer.length, length - done));
        if (count === 0) break;
        this.data(buffer.subarray(0, count), start + done);
        done += count;
      }
    }
    this.end(content.size);
  }

  linked(target: ByteString, path: ByteString): void {
    this.#root.link(target, path);
  }

  removed(path: ByteString, node: TreeNode): void {
    this.#forget();
    if (node.type === "dir") removeTree(this.#root, path);
    else this.#root.unlink(path);
  }

  /** Whiteouts, opaque marks and the directories' own metadata: when all members are there. */
  finish(root: TreeNode): void {
    this.#directory(root, "", false);
    this.#forget();
  }

  #directory(node: TreeNode, path: ByteString, hidden: boolean): void {
    const opaque = node.opaque && !hidden && this.#below(path) !== undefined;
    for (const [name, child] of node.children!) this.#child(child, join(path, name), hidden || node.opaque);
    const { dir, name } = this.#at(path);
    if (opaque) {
      this.#need("xattrs", path, "opaque directory");
      dir.setXattr(name, opaqueName(this.#space), OPAQUE_VALUE);
    }
    this.#metadata(dir, name, path, node);
  }

  #child(child: TreeChild, path: ByteString, hidden: boolean): void {
    if (child instanceof TreeNode) {
      if (child.type === "dir") this.#directory(child, path, hidden);
      return;
    }
    if (child !== null || hidden || this.#below(path) === undefined) return;
    this.#need("mknod", path, "whiteout");
    const { dir, name } = this.#at(path);
    try {
      dir.mknod(name, "char", 0, 0, 0);
    } catch (error) {
      if (errorCode(error) !== "EPERM") throw error;
      this.#whiteoutByXattr(dir, name, path);
    }
  }

  /** A store that lies on an overlay may not have such devices: overlayfs.rst "Nesting overlayfs mounts". */
  #whiteoutByXattr(dir: DirFs, name: ByteString, path: ByteString): void {
    dir.open(name, { write: true, create: true, exclusive: true, mode: 0 }).close();
    dir.setXattr(name, whiteoutName(this.#space), WHITEOUT_VALUE);
    const slash = path.lastIndexOf(LAST_SLASH);
    const parent = slash < 0 ? "" : path.slice(0, slash);
    if (!isOpaqueDir(this.#root, parent, this.#space))
      this.#root.setXattr(parent, opaqueName(this.#space), LOOK_INSIDE);
  }

  #below(path: ByteString): TreeNode | true | undefined {
    return this.#lower === undefined ? true : this.#lower.lookup(path);
  }

  #metadata(dir: DirFs, name: ByteString, path: ByteString, node: TreeNode): void {
    if (this.#owners) dir.chown(name, node.uid, node.gid);
    if (node.type !== "symlink") dir.chmod(name, node.mode);
    for (const [attribute, value] of node.xattrs ?? []) {
      this.#need("xattrs", path, `attribute "${attribute}"`);
      dir.setXattr(name, escapeXattr(attribute, this.#space), value);
    }
    dir.utimes(name, { sec: node.atimeSec, nsec: node.atimeNsec }, { sec: node.mtimeSec, nsec: node.mtimeNsec });
  }

  /** The open directory and last name of a path; the root is its own "". */
  #at(path: ByteString): { dir: DirFs; name: ByteString } {
    const slash = path.lastIndexOf(LAST_SLASH);
    if (slash < 0) return { dir: this.#root, name: path };
    const parent = path.slice(0, slash);
    if (this.#near?.path !== parent) {
      this.#forget();
      this.#near = { path: parent, dir: this.#root.openDir(parent) };
    }
    return { dir: this.#near!.dir, name: path.slice(slash + 1) };
  }

  #forget(): void {
    this.#near?.dir.close();
    this.#near = undefined;
  }

  #need(feature: "mknod" | "xattrs", path: ByteString, what: string): void {
    if (this.#root.features[feature]) return;
    throw new LapError(
      "failedPrecondition",
      "ERR_LAP_FS_FEATURE",
      `"${show(path)}": this filesystem cannot hold a ${what}`,
      {
        hint: "use the kernel's directory filesystem (openDirFs of @lapstrake/core) as root",
      },
    );
  }

  /** Closes what is open; call it also after a failure. */
  close(): void {
    this.#file?.handle.close();
    this.#file = undefined;
    this.#forget();
  }
}

/** Removes a directory with all beneath it; nothing is followed. */
export function removeTree(dir: DirFs, path: ByteString): void {
  for (const { name } of dir.readdir(path)) {
    const child = join(path, name);
    if (dir.stat(child)?.type === "dir") removeTree(dir, child);
    else dir.unlink(child);
  }
  if (path !== "") dir.rmdir(path);
}
