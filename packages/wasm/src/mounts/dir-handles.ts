// Open files and directories of a DirInodes, by handle number.
import { ERRNO, fsError, type DirEntry, type FileHandle } from "@lapstrake/base";
import type { Handle, Ino } from "@lapstrake/layers";

/** One open file, or a directory (`file` is undefined) and the names it had when its listing began. */
export interface OpenEntry {
  readonly ino: Ino;
  readonly file: FileHandle | undefined;
  readonly flags: number;
  names?: DirEntry[];
}

export class DirHandles {
  readonly #entries = new Map<Handle, OpenEntry>();
  readonly #files = new Map<Ino, FileHandle[]>();
  #last = 0;

  add(entry: OpenEntry): Handle {
    this.#last += 1;
    this.#entries.set(this.#last, entry);
    if (entry.file !== undefined) this.#files.set(entry.ino, [...(this.#files.get(entry.ino) ?? []), entry.file]);
    return this.#last;
  }

  get(handle: Handle): OpenEntry {
    const entry = this.#entries.get(handle);
    if (entry === undefined) throw fsError(ERRNO.EBADF);
    return entry;
  }

  /** Some open file of an inode. */
  fileOf(ino: Ino): FileHandle | undefined {
    return this.#files.get(ino)?.[0];
  }

  /** The file to close. */
  remove(handle: Handle): FileHandle | undefined {
    const { ino, file } = this.get(handle);
    this.#entries.delete(handle);
    const left = (this.#files.get(ino) ?? []).filter((other) => other !== file);
    if (left.length === 0) this.#files.delete(ino);
    else this.#files.set(ino, left);
    return file;
  }
}
