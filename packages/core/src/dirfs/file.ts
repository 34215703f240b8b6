// An open file of a DirFs: node:fs on the descriptor, which is as fast as a system call of our own.
import { closeSync, fsyncSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { ERRNO, fsError, type FileHandle, type FileStat } from "@lapstrake/base";
import { AT_EMPTY_PATH } from "../sys/flags.ts";
import type { SyscallPort } from "../sys/port.ts";
import { statAt } from "./stat.ts";

/** {@link FileHandle} on a kernel descriptor, which it owns. */
export class KernelFile implements FileHandle {
  readonly #sys: SyscallPort;
  #fd: number;

  constructor(sys: SyscallPort, fd: number) {
    this.#sys = sys;
    this.#fd = fd;
  }

  get fd(): number {
    return this.#fd;
  }

  stat(): FileStat {
    if (this.#fd < 0) throw fsError(ERRNO.EBADF);
    return statAt(this.#sys, { fd: this.#fd, name: "" }, AT_EMPTY_PATH)!;
  }

  read(into: Uint8Array, offset: number, length: number, position?: number): number {
    return readSync(this.#fd, into, offset, length, position ?? null);
  }

  write(from: Uint8Array, offset: number, length: number, position?: number): number {
    for (let done = 0; done < length;) {
      const at = position === undefined ? null : position + done;
      done += writeSync(this.#fd, from, offset + done, length - done, at);
    }
    return length;
  }

  truncate(size: number): void {
    ftruncateSync(this.#fd, size);
  }

  fsync(): void {
    fsyncSync(this.#fd);
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
