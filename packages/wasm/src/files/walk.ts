// Path resolution for every WASI version: segment by segment over inodes, from one directory that was handed out, with a budget
// of 40 links (path_resolution(7)). Nothing is ever resolved by joined strings.
import { ERRNO, errorCode, fsError, type ByteString } from "@lapstrake/base";
import type { Ino, InodeFs } from "@lapstrake/layers";

const MAX_LINKS = 40;

/**
 * How far paths from a directory may lead. `beneath`: nothing leaves it, as WASI has it for a preopened part of a filesystem.
 * `filesystem`: the guest was given the whole of it, so ".." and links mean what they mean to openat(2).
 */
export type Reach = "beneath" | "filesystem";

/** A directory that paths start from. */
export interface Base {
  readonly ino: Ino;
  readonly reach: Reach;
  /** Where a path is looked for that is not beneath `ino`: see `wholeFilesystem` of run/preopens.ts. */
  readonly otherwise?: Ino | undefined;
}

/** Where a path leads: its parent and last name; `ino` is undefined when that name does not exist. */
export interface Place {
  readonly dir: Ino;
  /** "" when the path names a directory without naming it: ".", "a/..". */
  readonly name: ByteString;
  readonly ino: Ino | undefined;
  /** The path ended with "/" or "/.": only a directory will do. */
  readonly mustBeDir: boolean;
}

/** Resolves `path` beneath `base`. Paths that start with "/" or climb out are EPERM. */
export function walk(fs: InodeFs, base: Base, path: ByteString, followLast: boolean): Place {
  if (path === "") throw fsError(ERRNO.ENOENT);
  if (path.charCodeAt(0) === 47) throw fsError(ERRNO.EPERM);
  const { otherwise } = base;
  if (otherwise === undefined) return new Walk(fs, base).run(path, followLast);
  try {
    return new Walk(fs, base).run(path, followLast);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    return new Walk(fs, { ...base, ino: otherwise }).run(path, followLast);
  }
}

/** The same for a name that is to exist already and is not removed or renamed: it may be that of the other directory. */
export function look(fs: InodeFs, base: Base, path: ByteString, followLast: boolean): Place {
  const place = walk(fs, base, path, followLast);
  const { otherwise, reach } = base;
  if (place.ino !== undefined || otherwise === undefined) return place;
  try {
    const other = walk(fs, { ino: otherwise, reach }, path, followLast);
    return other.ino === undefined ? place : other;
  } catch {
    // What the first directory says counts.
    return place;
  }
}

class Walk {
  readonly #fs: InodeFs;
  readonly #reach: Reach;
  /** Directories from the start to here: ".." goes back along it, whatever was renamed meanwhile. */
  readonly #chain: Ino[];
  #pending: ByteString[] = [];
  #links = 0;
  #mustBeDir = false;

  constructor(fs: InodeFs, base: Base) {
    this.#fs = fs;
    this.#reach = base.reach;
    this.#chain = [base.ino];
  }

  run(path: ByteString, followLast: boolean): Place {
    this.#push(path);
    for (let name = this.#pending.pop(); name !== undefined; name = this.#pending.pop()) {
      if (name === "..") this.#up();
      else {
        const place = this.#step(name, followLast);
        if (place !== undefined) return place;
      }
    }
    const here = this.#here();
    return { dir: here, name: "", ino: here, mustBeDir: true };
  }

  #here(): Ino {
    return this.#chain[this.#chain.length - 1] as Ino;
  }

  /** Queues the segments of a path, or of a link's target, before what is still to do. */
  #push(path: ByteString): void {
    if (this.#pending.length === 0 && (path.endsWith("/") || path.endsWith("/."))) this.#mustBeDir = true;
    const segments = path.split("/");
    for (let i = segments.length - 1; i >= 0; i--) {
      const segment = segments[i] as ByteString;
      if (segment !== "" && segment !== ".") this.#pending.push(segment);
    }
  }

  #up(): void {
    if (this.#chain.length > 1) {
      this.#chain.pop();
      return;
    }
    if (this.#reach === "beneath") throw fsError(ERRNO.EPERM);
    // The root is its own parent, as everywhere in Unix.
    const parent = this.#fs.lookup(this.#here(), "..");
    if (parent < 0) throw fsError(-parent);
    this.#chain[0] = parent;
  }

  #step(name: ByteString, followLast: boolean): Place | undefined {
    const dir = this.#here();
    const last = this.#pending.length === 0;
    const found = this.#fs.lookup(dir, name);
    if (found < 0) {
      if (!last || found !== -ERRNO.ENOENT) throw fsError(-found);
      return { dir, name, ino: undefined, mustBeDir: this.#mustBeDir };
    }
    const { type } = this.#fs.getattr(found);
    if (type === "symlink" && (!last || followLast || this.#mustBeDir)) {
      this.#follow(found);
      return undefined;
    }
    if (last) return { dir, name, ino: found, mustBeDir: this.#mustBeDir };
    if (type !== "dir") throw fsError(ERRNO.ENOTDIR);
    this.#chain.push(found);
    return undefined;
  }

  #follow(link: Ino): void {
    this.#links += 1;
    if (this.#links > MAX_LINKS) throw fsError(ERRNO.ELOOP);
    const target = this.#fs.readlink(link);
    if (target === "") throw fsError(ERRNO.ENOENT);
    if (target.startsWith("/")) {
      if (this.#reach === "beneath") throw fsError(ERRNO.EPERM);
      this.#chain.splice(0, this.#chain.length, this.#fs.root);
    }
    this.#push(target);
  }
}
