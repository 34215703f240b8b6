// AUFS-style unions of directories, as the introductory texts show them: the first branch wins, what a read-only branch owns is copied
// up before it changes, what a writable branch owns changes in place, deletions are files. Every call works on the directories at once.
import { ERRNO, fsError, type ByteString, type DirFs, type FileStat } from "@lapstrake/base";
import { removeTree } from "../disk/layer-writer.ts";
import { join } from "../tree/builder.ts";
import { OPAQUE_NAME, WHITEOUT_PREFIX } from "../tree/names.ts";
import { BranchView, splitPath, whiteoutPath, type Branch, type Found } from "./branch-view.ts";

/** A union of `branches`, the first on top. Directories stay open as long as the union is used. */
export function unionOf(branches: readonly Branch[]): BranchUnion {
  if (branches.length === 0) throw fsError(ERRNO.EINVAL);
  return new BranchUnion(branches);
}

/** Files by path, relative to the union, no link followed. Failures are system errors: ENOENT, EROFS, ENOTEMPTY, EXDEV … */
export class BranchUnion {
  readonly #view: BranchView;

  constructor(branches: readonly Branch[]) {
    this.#view = new BranchView(branches);
  }

  stat(path: ByteString): FileStat | undefined {
    return this.#view.find(path)?.stat;
  }

  /** Index of the branch that shows a path; undefined when nothing does. */
  branchOf(path: ByteString): number | undefined {
    return this.#view.find(path)?.owner;
  }

  readdir(path: ByteString): ByteString[] {
    return this.#view.names(path);
  }

  readFile(path: ByteString): Uint8Array {
    const { owner, stat } = this.#must(path);
    if (stat.type !== "file") throw fsError(stat.type === "dir" ? ERRNO.EISDIR : ERRNO.EINVAL);
    using file = this.#dir(owner).open(path, { read: true });
    const bytes = new Uint8Array(stat.size);
    let done = 0;
    for (let got = -1; got !== 0 && done < bytes.length; done += got)
      got = file.read(bytes, done, bytes.length - done, done);
    return bytes.subarray(0, done);
  }

  readlink(path: ByteString): ByteString {
    return this.#dir(this.#must(path).owner).readlink(path);
  }

  /** Replaces the bytes of a file, or makes it: in the branch that owns it when that is writable, else in the first that is. */
  writeFile(path: ByteString, bytes: Uint8Array, mode = 0o644): void {
    const found = this.#view.find(path);
    if (found?.stat.type === "dir") throw fsError(ERRNO.EISDIR);
    const target = found === undefined ? this.#place(path) : this.#writableFor(found);
    this.#makeParents(target, path);
    using file = this.#dir(target).open(path, {
      write: true,
      create: true,
      truncate: true,
      mode: found?.stat.mode ?? mode,
    });
    file.write(bytes, 0, bytes.length, 0);
    this.#forgetWhiteout(target, path);
    if (found !== undefined && target !== found.owner) this.#copyMetadata(target, path, found.stat);
  }

  mkdir(path: ByteString, mode = 0o755): void {
    if (this.#view.find(path) !== undefined) throw fsError(ERRNO.EEXIST);
    const target = this.#place(path);
    this.#makeParents(target, path);
    this.#dir(target).mkdir(path, mode);
    // What a whiteout hid must stay hidden behind the new directory.
    if (this.#forgetWhiteout(target, path)) this.#mark(target, join(path, OPAQUE_NAME));
  }

  symlink(target: ByteString, path: ByteString): void {
    if (this.#view.find(path) !== undefined) throw fsError(ERRNO.EEXIST);
    const branch = this.#place(path);
    this.#makeParents(branch, path);
    this.#dir(branch).symlink(target, path);
    this.#forgetWhiteout(branch, path);
  }

  /** Changes permissions; what a read-only branch owns is copied up first. */
  chmod(path: ByteString, mode: number): void {
    this.#dir(this.#copyUp(path)).chmod(path, mode);
  }

  /** Removes a file or link: in its branch when that is writable, with a whiteout when another copy would show. */
  unlink(path: ByteString): void {
    const found = this.#must(path);
    if (found.stat.type === "dir") throw fsError(ERRNO.EISDIR);
    const branch = this.#writableFor(found);
    if (branch === found.owner) this.#dir(branch).unlink(path);
    this.#hide(branch, path);
  }

  /** Removes a directory that shows nothing. */
  rmdir(path: ByteString): void {
    const found = this.#must(path);
    if (found.stat.type !== "dir") throw fsError(ERRNO.ENOTDIR);
    if (this.#view.names(path).length > 0) throw fsError(ERRNO.ENOTEMPTY);
    const branch = this.#writableFor(found);
    if (branch === found.owner) removeTree(this.#dir(branch), path);
    this.#hide(branch, path);
  }

  /** Moves a file or link; directories answer EXDEV, and are copied by the caller, as on AUFS. */
  rename(from: ByteString, to: ByteString): void {
    const { stat } = this.#must(from);
    if (stat.type === "dir") throw fsError(ERRNO.EXDEV);
    if (stat.type === "symlink") this.symlink(this.readlink(from), to);
    else {
      this.writeFile(to, this.readFile(from), stat.mode);
      this.#copyMetadata(this.#must(to).owner, to, stat);
    }
    this.unlink(from);
  }

  #dir(index: number): DirFs {
    return this.#view.branches[index]!.dir;
  }

  #must(path: ByteString): Found {
    const found = this.#view.find(path);
    if (found === undefined) throw fsError(ERRNO.ENOENT);
    return found;
  }

  /** The owner when it is writable, else the first writable branch above it: EROFS. */
  #writableFor({ owner }: Found): number {
    return this.#view.branches[owner]!.mode === "rw" ? owner : this.#view.writable(owner);
  }

  /** Where a new name goes: the first writable branch that has its directory, else the first writable one (AUFS's top-down-parent). */
  #place(path: ByteString): number {
    const { parent } = splitPath(path);
    const { stat, parts } = this.#must(parent);
    if (stat.type !== "dir") throw fsError(ERRNO.ENOTDIR);
    if (splitPath(path).name.startsWith(WHITEOUT_PREFIX)) throw fsError(ERRNO.EPERM);
    return parts.find((index) => this.#view.branches[index]!.mode === "rw") ?? this.#view.writable();
  }

  /** The branch that may be changed, with the file in it. */
  #copyUp(path: ByteString): number {
    const found = this.#must(path);
    const target = this.#writableFor(found);
    if (target === found.owner) return target;
    this.#makeParents(target, path);
    if (found.stat.type === "dir") this.#dir(target).mkdir(path, found.stat.mode);
    else if (found.stat.type === "symlink") this.#dir(target).symlink(this.readlink(path), path);
    else this.writeFile(path, this.readFile(path));
    this.#copyMetadata(target, path, found.stat);
    return target;
  }

  #makeParents(target: number, path: ByteString): void {
    const { parent } = splitPath(path);
    if (parent === "" || this.#dir(target).stat(parent) !== undefined) return;
    const { stat } = this.#must(parent);
    this.#makeParents(target, parent);
    this.#dir(target).mkdir(parent, stat.mode);
    this.#copyMetadata(target, parent, stat);
  }

  #copyMetadata(target: number, path: ByteString, { type, mode, uid, gid, atime, mtime }: FileStat): void {
    const dir = this.#dir(target);
    if (dir.features.chown) dir.chown(path, uid, gid);
    if (type !== "symlink") dir.chmod(path, mode);
    dir.utimes(path, atime, mtime);
  }

  #hide(branch: number, path: ByteString): void {
    if (this.#view.find(path) === undefined) return;
    this.#makeParents(branch, path);
    this.#mark(branch, whiteoutPath(path));
  }

  #forgetWhiteout(branch: number, path: ByteString): boolean {
    const whiteout = whiteoutPath(path);
    if (this.#dir(branch).stat(whiteout) === undefined) return false;
    this.#dir(branch).unlink(whiteout);
    return true;
  }

  #mark(branch: number, path: ByteString): void {
    this.#dir(branch).open(path, { write: true, create: true, mode: 0o444 }).close();
  }
}
