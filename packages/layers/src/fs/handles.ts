// Open files and directories: small positive numbers that are reused after close.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import type { Handle } from "./inode-fs.ts";
import type { Inode } from "./inode.ts";

/** An open file or directory. */
export interface OpenFile {
  readonly inode: Inode;
  /** OPEN bits; 0 for directories. */
  readonly flags: number;
  /** Sorted names of a directory, taken when reading starts. */
  names: readonly ByteString[] | undefined;
}

export class HandleTable {
  readonly #open: (OpenFile | undefined)[] = [undefined];
  readonly #free: number[] = [];

  add(inode: Inode, flags: number): Handle {
    inode.handles++;
    const file: OpenFile = { inode, flags, names: undefined };
    const reused = this.#free.pop();
    if (reused === undefined) return this.#open.push(file) - 1;
    this.#open[reused] = file;
    return reused;
  }

  /** The open file; EBADF. */
  get(handle: Handle): OpenFile {
    const file = this.#open[handle];
    if (file === undefined) throw fsError(ERRNO.EBADF);
    return file;
  }

  /** Forgets a handle and returns what it stood for; EBADF. */
  remove(handle: Handle): OpenFile {
    const file = this.get(handle);
    file.inode.handles--;
    this.#open[handle] = undefined;
    this.#free.push(handle);
    return file;
  }
}
