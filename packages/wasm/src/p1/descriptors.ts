// Descriptors of a guest: what each one refers to, with which rights, and the table that numbers them.
// Open files are shared by descriptors of several guests after a spawn, as open file descriptions are in POSIX.
import type { ByteString } from "@lapstrake/base";
import type { Handle, Ino, InodeFs } from "@lapstrake/layers";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import type { Base, Reach } from "../files/walk.ts";
import { WASI } from "./abi.ts";
import { wasiError } from "./errno.ts";

/** An open regular file; `position` in bytes, `flags` are fdflags. */
export interface OpenFile {
  readonly kind: "file";
  readonly ino: Ino;
  readonly handle: Handle;
  position: number;
  flags: number;
  refs: number;
}

/** An open directory. */
export interface OpenDir {
  readonly kind: "dir";
  readonly ino: Ino;
  readonly handle: Handle;
  flags: number;
  refs: number;
}

/** One end of a stream: stdio, a pipe. */
export interface OpenStream {
  readonly kind: "stream";
  readonly input: GuestInput | undefined;
  readonly output: GuestOutput | undefined;
  flags: number;
  refs: number;
}

export type OpenObject = OpenFile | OpenDir | OpenStream;

/** One descriptor. */
export interface Descriptor {
  readonly object: OpenObject;
  rights: number;
  inheriting: number;
  readonly preopen: ByteString | undefined;
  readonly reach: Reach;
  readonly otherwise?: Ino | undefined;
}

/** A descriptor known to be a directory. */
export type DirDescriptor = Descriptor & { readonly object: OpenDir };

/** The directory that paths of a descriptor start from. */
export function baseOf({ object, reach, otherwise }: DirDescriptor): Base {
  return { ino: object.ino, reach, otherwise };
}

export class DescriptorTable {
  readonly #fs: InodeFs;
  readonly #slots: (Descriptor | undefined)[] = [];
  readonly #max: number;
  #open = 0;
  #lowestFree = 0;

  constructor(fs: InodeFs, max: number) {
    this.#fs = fs;
    this.#max = max;
  }

  get(fd: number): Descriptor {
    const found = this.#slots[fd];
    if (found === undefined) throw wasiError(WASI.EBADF);
    return found;
  }

  /** The descriptor when it grants `rights`, else ENOTCAPABLE. */
  withRights(fd: number, rights: number): Descriptor {
    const found = this.get(fd);
    if ((found.rights & rights) !== rights) throw wasiError(WASI.ENOTCAPABLE);
    return found;
  }

  /** A directory descriptor; ENOTDIR before the question of rights, as POSIX answers. */
  dir(fd: number, rights: number): DirDescriptor {
    const found = this.get(fd);
    if (found.object.kind !== "dir") throw wasiError(WASI.ENOTDIR);
    if ((found.rights & rights) !== rights) throw wasiError(WASI.ENOTCAPABLE);
    return found as DirDescriptor;
  }

  /** Throws EMFILE when no further descriptor may be opened: ask before creating what it would refer to. */
  reserve(count = 1): void {
    if (this.#open + count > this.#max) throw wasiError(WASI.EMFILE);
  }

  /** Number of the new descriptor, the lowest free one. */
  add(descriptor: Descriptor): number {
    this.reserve();
    let fd = this.#lowestFree;
    while (this.#slots[fd] !== undefined) fd += 1;
    this.#slots[fd] = descriptor;
    this.#lowestFree = fd + 1;
    this.#open += 1;
    return fd;
  }

  /** Puts a descriptor at a number, closing what was there. */
  set(fd: number, descriptor: Descriptor): void {
    if (this.#slots[fd] !== undefined) this.close(fd);
    this.reserve();
    this.#slots[fd] = descriptor;
    this.#open += 1;
  }

  /** fd_renumber: `to` is closed and becomes `from`. */
  renumber(from: number, to: number): void {
    const moved = this.get(from);
    this.get(to);
    if (from === to) return;
    this.close(to);
    this.#slots[to] = moved;
    this.#slots[from] = undefined;
    this.#lowestFree = Math.min(this.#lowestFree, from);
  }

  close(fd: number): void {
    const { object } = this.get(fd);
    this.#slots[fd] = undefined;
    this.#open -= 1;
    this.#lowestFree = Math.min(this.#lowestFree, fd);
    release(this.#fs, object);
  }

  /** Closes everything: the guest is gone. */
  closeAll(): void {
    for (const fd of this.#slots.keys()) if (this.#slots[fd] !== undefined) this.close(fd);
  }

  /** Numbers and descriptors in use, ascending. */
  *entries(): Generator<[number, Descriptor]> {
    for (const [fd, descriptor] of this.#slots.entries()) if (descriptor !== undefined) yield [fd, descriptor];
  }
}

/** One reference less; the last one closes the handle or the stream. */
export function release(fs: InodeFs, object: OpenObject): void {
  object.refs -= 1;
  if (object.refs > 0) return;
  if (object.kind !== "stream") {
    fs.close(object.handle);
    return;
  }
  object.input?.close?.();
  object.output?.close?.();
}
