// box.fs.opendir: what node:fs/promises calls a Dir, over the names that were there when it was opened.
import { ERRNO, systemError } from "@lapstrake/base";
import type { Dirent } from "@lapstrake/layers";

/** An open directory of a box. */
export class BoxDir implements AsyncDisposable, AsyncIterable<Dirent> {
  readonly path: string;
  #left: Dirent[] | undefined;

  constructor(path: string, entries: readonly Dirent[]) {
    this.path = path;
    this.#left = [...entries];
  }

  /** The next entry; null at the end. */
  read(): Promise<Dirent | null> {
    if (this.#left === undefined) return Promise.reject(systemError(ERRNO.EBADF, "scandir"));
    return Promise.resolve(this.#left.shift() ?? null);
  }

  /** Closes at the end, as Node's does. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Dirent, void, undefined> {
    try {
      for (let next = await this.read(); next !== null; next = await this.read()) yield next;
    } finally {
      this.#left = undefined;
    }
  }

  close(): Promise<void> {
    if (this.#left === undefined) return Promise.reject(systemError(ERRNO.EBADF, "close"));
    this.#left = undefined;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left = undefined;
  }
}
