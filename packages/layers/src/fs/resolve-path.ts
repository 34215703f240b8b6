// Path resolution over an InodeFs: path_resolution(7) inside a root that cannot be left; 40 symbolic links at most.
import { ERRNO, type ByteString } from "@lapstrake/base";
import { MAX_SYMLINKS } from "../limits.ts";
import type { Ino, InodeFs } from "./inode-fs.ts";

/** How {@link resolvePath} treats the end of the path. */
export interface ResolveOptions {
  /** Follow a symbolic link in the last component; default true. */
  readonly followLast?: boolean;
  /** Refuse absolute paths and `..` that lead above `start` with EPERM (WASI's rule); default false. */
  readonly beneath?: boolean;
}

/** Where a path leads. */
export interface Resolved {
  /** Directory that holds the last name. */
  readonly dir: Ino;
  /** Last component; "." when the path names a directory by itself ("/", "a/.."). */
  readonly name: ByteString;
  /** The inode, or 0 when the last name does not exist. */
  readonly ino: Ino;
  /** The path ended in "/": it must be, or become, a directory. */
  readonly mustBeDir: boolean;
}

/**
 * Resolves `path` from the directory `start` (absolute paths from the root). Returns where it leads, or a negative errno:
 * -ENOENT (a directory on the way, or ""), -ENOTDIR, -ELOOP, -ENAMETOOLONG, -EPERM (`beneath`).
 */
export function resolvePath(
  fs: InodeFs,
  start: Ino,
  path: ByteString,
  options: ResolveOptions = {},
): Resolved | number {
  if (path === "") return -ERRNO.ENOENT;
  if (path.length > 4095) return -ERRNO.ENAMETOOLONG;
  return new Walk(fs, start, options).run(path);
}

class Walk {
  readonly #fs: InodeFs;
  readonly #options: ResolveOptions;
  readonly #floor: Ino;
  /** Directories from the floor to here. */
  readonly #trail: Ino[];
  #links = 0;

  constructor(fs: InodeFs, start: Ino, options: ResolveOptions) {
    this.#fs = fs;
    this.#options = options;
    this.#floor = options.beneath === true ? start : fs.root;
    this.#trail = [start];
  }

  run(path: ByteString): Resolved | number {
    const todo: ByteString[] = [];
    let trailing = path.endsWith("/");
    const first = this.#push(todo, path);
    if (first < 0) return first;
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      const last = todo.length === 0;
      if (name === "." || name === "..") {
        const moved = this.#dots(name);
        if (moved < 0) return moved;
        continue;
      }
      const ino = this.#fs.lookup(this.#here, name);
      if (ino < 0) return ino === -ERRNO.ENOENT && last ? this.#missing(name, trailing) : ino;
      const { type } = this.#fs.getattr(ino);
      if (type === "symlink" && (!last || trailing || this.#options.followLast !== false)) {
        if (++this.#links > MAX_SYMLINKS) return -ERRNO.ELOOP;
        const target = this.#fs.readlink(ino);
        if (last && target.endsWith("/")) trailing = true;
        const pushed = this.#push(todo, target);
        if (pushed < 0) return pushed;
        continue;
      }
      if (type !== "dir" && (!last || trailing)) return -ERRNO.ENOTDIR;
      if (last) return { dir: this.#here, name, ino, mustBeDir: trailing };
      this.#trail.push(ino);
    }
    return { dir: this.#here, name: ".", ino: this.#here, mustBeDir: true };
  }

  get #here(): Ino {
    return this.#trail.at(-1)!;
  }

  #missing(name: ByteString, mustBeDir: boolean): Resolved {
    return { dir: this.#here, name, ino: 0, mustBeDir };
  }

  /** Puts the components of a path on the stack; an absolute one starts at the root again. */
  #push(todo: ByteString[], path: ByteString): number {
    if (path.startsWith("/")) {
      if (this.#options.beneath === true) return -ERRNO.EPERM;
      this.#trail.length = 0;
      this.#trail.push(this.#fs.root);
    }
    todo.push(
      ...path
        .split("/")
        .filter((part) => part !== "")
        .reverse(),
    );
    return 0;
  }

  #dots(name: ByteString): number {
    if (name === ".") return 0;
    if (this.#trail.length > 1) {
      this.#trail.pop();
      return 0;
    }
    if (this.#here === this.#floor) return this.#options.beneath === true ? -ERRNO.EPERM : 0;
    this.#trail[0] = this.#fs.lookup(this.#here, "..");
    return 0;
  }
}
