// What all calls of the node:fs facade share: kinds of arguments, paths to inodes, errors as Node's.
import { ERRNO, fsError, toByteString } from "@lapstrake/base";
import type { Ino, InodeFs } from "../fs/inode-fs.ts";
import { resolvePath } from "../fs/resolve-path.ts";
import { asNode } from "./errors.ts";

/** A path as node:fs takes it. */
export type PathLike = string | Uint8Array | URL;
/** What files are written from. */
export type Data = string | Uint8Array;
/** An encoding, or options with one; text comes back for `utf8`, bytes otherwise. */
export type Encoding = "utf8" | "utf-8" | "buffer";
/** A time as Date or seconds. */
export type Time = Date | number;

/** Where a path leads; `ino` is 0 when the last name does not exist. */
export interface Place {
  readonly dir: Ino;
  readonly name: string;
  readonly ino: Ino;
}

/** Paths of a filesystem in memory. */
export class PathFacade {
  protected readonly fs: InodeFs;

  constructor(fs: InodeFs) {
    this.fs = fs;
  }

  protected place(path: PathLike, follow = true): Place {
    const found = resolvePath(this.fs, this.fs.root, bytesOf(path), { followLast: follow });
    if (typeof found === "number") throw fsError(-found);
    return found;
  }

  protected ino(path: PathLike, follow = true): Ino {
    const { ino } = this.place(path, follow);
    if (ino === 0) throw fsError(ERRNO.ENOENT);
    return ino;
  }

  protected call<T>(syscall: string, path: PathLike, run: () => T, dest?: PathLike): T {
    return asNode(syscall, textOf(path), run, dest === undefined ? undefined : textOf(dest));
  }
}

export function textOf(path: PathLike): string {
  if (typeof path === "string") return path;
  return path instanceof URL ? decodeURIComponent(path.pathname) : new TextDecoder().decode(path);
}

export function bytesOf(path: PathLike): string {
  if (path instanceof Uint8Array) return String.fromCharCode(...path);
  return toByteString(textOf(path));
}
