// wasi:filesystem/types 0.2: descriptors over inodes. Operations on names are those of files/at.ts.
import { ERRNO, fromByteString, fsError, toByteString, type ByteString, type FileType } from "@lapstrake/base";
import type { Attr, AttrChange, Handle, Ino } from "@lapstrake/layers";
import * as at from "../files/at.ts";
import type { Base, Reach } from "../files/walk.ts";
import { coded } from "./errors.ts";
import type { ComponentHost } from "./host.ts";
import { InputStream, OutputStream } from "./streams.ts";

/** Most bytes one read gives. */
const MAX_READ = 1024 * 1024;
const BATCH = 64;

export interface DescriptorFlags {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly mutateDirectory?: boolean;
  readonly fileIntegritySync?: boolean;
  readonly dataIntegritySync?: boolean;
  readonly requestedWriteSync?: boolean;
}

export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

export interface PathFlags {
  readonly symlinkFollow?: boolean;
}

export interface OpenFlags {
  readonly create?: boolean;
  readonly directory?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
}

export type NewTimestamp =
  | { readonly tag: "no-change" }
  | { readonly tag: "now" }
  | { readonly tag: "timestamp"; readonly val: Datetime };

/** An open handle shared by a descriptor and the streams made from it. */
class Shared {
  readonly #host: ComponentHost;
  readonly handle: Handle;
  #refs = 1;

  constructor(host: ComponentHost, handle: Handle) {
    this.#host = host;
    this.handle = handle;
  }

  hold(): this {
    this.#refs += 1;
    return this;
  }

  drop(): void {
    this.#refs -= 1;
    if (this.#refs === 0) this.#host.fs.close(this.handle);
  }
}

const TYPES: Readonly<Record<FileType, string>> = {
  file: "regular-file",
  dir: "directory",
  symlink: "symbolic-link",
  char: "character-device",
  block: "block-device",
  fifo: "fifo",
  socket: "socket",
};

/** The 0.2 name of a type of file. */
export function typeName(type: FileType): string {
  return TYPES[type];
}

/** descriptor-stat. */
export interface DescriptorStat {
  readonly type: string;
  readonly linkCount: bigint;
  readonly size: bigint;
  readonly dataAccessTimestamp: Datetime;
  readonly dataModificationTimestamp: Datetime;
  readonly statusChangeTimestamp: Datetime;
}

/** descriptor-stat of an inode. */
function descriptorStat(attr: Attr): DescriptorStat {
  return {
    type: TYPES[attr.type],
    linkCount: BigInt(attr.nlink),
    size: BigInt(attr.size),
    dataAccessTimestamp: datetime(attr.atimeSec, attr.atimeNsec),
    dataModificationTimestamp: datetime(attr.mtimeSec, attr.mtimeNsec),
    statusChangeTimestamp: datetime(attr.ctimeSec, attr.ctimeNsec),
  };
}

/** 0.2 has no time before the epoch. */
function datetime(sec: number, nsec: number): Datetime {
  return sec < 0 ? { seconds: 0n, nanoseconds: 0 } : { seconds: BigInt(sec), nanoseconds: nsec };
}

/** A path argument: text without NUL. */
function path(text: string): ByteString {
  if (text.includes("\0")) throw fsError(ERRNO.EINVAL);
  return toByteString(text);
}

function offsetOf(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw fsError(ERRNO.EFBIG);
  return Number(value);
}

/** Attributes that the two timestamps set. */
function timesOf(host: ComponentHost, access: NewTimestamp, modify: NewTimestamp): AttrChange {
  const atime = pick(host, access);
  const mtime = pick(host, modify);
  return {
    ...(atime === undefined ? {} : { atimeSec: Number(atime.seconds), atimeNsec: atime.nanoseconds }),
    ...(mtime === undefined ? {} : { mtimeSec: Number(mtime.seconds), mtimeNsec: mtime.nanoseconds }),
  };
}

function pick(host: ComponentHost, wanted: NewTimestamp): Datetime | undefined {
  if (wanted.tag === "no-change") return undefined;
  if (wanted.tag === "timestamp") return wanted.val;
  const now = host.clock.realtimeNs();
  return { seconds: now / 1_000_000_000n, nanoseconds: Number(now % 1_000_000_000n) };
}

/** metadata-hash: the inode is what makes two descriptors the same file. */
function hashOf(ino: Ino): { lower: bigint; upper: bigint } {
  return { lower: BigInt(ino), upper: 1n };
}

export class Descriptor {
  readonly #host: ComponentHost;
  readonly #shared: Shared;
  readonly #flags: DescriptorFlags;
  readonly ino: Ino;
  readonly #isDir: boolean;
  readonly #reach: Reach;
  /** A directory handed out at start may have another behind it. */
  readonly otherwise: Ino | undefined;

  /** Whether names beneath may change comes from the directory handed out at start, not from how this one was opened. */
  readonly #mutable: boolean;

  constructor(
    host: ComponentHost,
    opened: at.Opened,
    flags: DescriptorFlags,
    reach: Reach,
    mutable: boolean,
    otherwise?: Ino,
  ) {
    this.#host = host;
    this.#shared = new Shared(host, opened.handle);
    this.#flags = opened.kind === "dir" ? { ...flags, mutateDirectory: mutable } : flags;
    this.#mutable = mutable;
    this.ino = opened.ino;
    this.#isDir = opened.kind === "dir";
    this.#reach = reach;
    this.otherwise = otherwise;
  }

  /** Where paths start; ENOTDIR for a file. */
  get base(): Base {
    if (!this.#isDir) throw fsError(ERRNO.ENOTDIR);
    return { ino: this.ino, reach: this.#reach, otherwise: this.otherwise };
  }

  /** The same, for an operation that changes the directory. */
  get #mutableBase(): Base {
    const { base } = this;
    if (!this.#mutable) throw fsError(ERRNO.EROFS);
    return base;
  }

  #file(wants: "read" | "write"): Handle {
    if (this.#isDir) throw fsError(wants === "read" ? ERRNO.EISDIR : ERRNO.EBADF);
    if (this.#flags[wants] !== true) throw fsError(ERRNO.EBADF);
    return this.#shared.handle;
  }

  read(length: bigint, offset: bigint): [Uint8Array, boolean] {
    return coded(() => {
      const into = new Uint8Array(Number(length > BigInt(MAX_READ) ? BigInt(MAX_READ) : length));
      const count = this.#readAt(into, 0, into.length, offsetOf(offset));
      return [into.subarray(0, count), count < into.length];
    });
  }

  #readAt(into: Uint8Array, offset: number, length: number, position: number): number {
    this.#host.interrupt.check();
    return this.#host.fs.read(this.#file("read"), into, offset, length, position);
  }

  write(buffer: Uint8Array, offset: bigint): bigint {
    return coded(() => BigInt(this.#writeAt(buffer, 0, buffer.length, offsetOf(offset))));
  }

  #writeAt(from: Uint8Array, offset: number, length: number, position: number): number {
    this.#host.interrupt.check();
    return this.#host.fs.write(this.#file("write"), from, offset, length, position);
  }

  readViaStream(offset: bigint): InputStream {
    return coded(() => {
      this.#file("read");
      let position = offsetOf(offset);
      const shared = this.#shared.hold();
      const left = (): number => this.#host.fs.getattr(this.ino).size - position;
      const read = (into: Uint8Array, start: number, length: number): number => {
        const count = this.#readAt(into, start, length, position);
        position += count;
        return count;
      };
      const input = { kind: "pipe", read, ready: () => (left() > 0 ? left() : -1), wait: () => undefined } as const;
      return new InputStream(this.#host, input, () => shared.drop());
    });
  }

  writeViaStream(offset: bigint): OutputStream {
    return coded(() => {
      let position = offsetOf(offset);
      return this.#output((from, start, length) => {
        const count = this.#writeAt(from, start, length, position);
        position += count;
        return count;
      });
    });
  }

  appendViaStream(): OutputStream {
    const end = (): number => this.#host.fs.getattr(this.ino).size;
    return coded(() => this.#output((from, start, length) => this.#writeAt(from, start, length, end())));
  }

  #output(write: (from: Uint8Array, start: number, length: number) => number): OutputStream {
    this.#file("write");
    const shared = this.#shared.hold();
    return new OutputStream(this.#host, { kind: "pipe", write }, () => shared.drop());
  }

  advise(): void {
    if (this.#isDir) throw "bad-descriptor";
  }

  sync(): void {
    if (!this.#isDir) coded(() => this.#host.fs.fsync(this.#shared.handle));
  }

  syncData(): void {
    this.sync();
  }

  getFlags(): DescriptorFlags {
    return this.#flags;
  }

  getType(): string {
    return TYPES[this.#host.fs.getattr(this.ino).type];
  }

  setSize(size: bigint): void {
    coded(() => {
      if (this.#isDir) throw fsError(ERRNO.EISDIR);
      this.#file("write");
      this.#host.fs.setattr(this.ino, { size: offsetOf(size) });
    });
  }

  setTimes(access: NewTimestamp, modify: NewTimestamp): void {
    coded(() => this.#host.fs.setattr(this.ino, timesOf(this.#host, access, modify)));
  }

  setTimesAt(flags: PathFlags, name: string, access: NewTimestamp, modify: NewTimestamp): void {
    coded(() => {
      const ino = at.inodeAt(this.#host.fs, this.#mutableBase, path(name), flags.symlinkFollow === true);
      this.#host.fs.setattr(ino, timesOf(this.#host, access, modify));
    });
  }

  readDirectory(): DirectoryEntryStream {
    return coded(() => {
      const { base } = this;
      return new DirectoryEntryStream(this.#host, this.#host.fs.opendir(base.ino));
    });
  }

  stat(): DescriptorStat {
    return coded(() => descriptorStat(this.#host.fs.getattr(this.ino)));
  }

  statAt(flags: PathFlags, name: string): DescriptorStat {
    return coded(() => descriptorStat(at.statAt(this.#host.fs, this.base, path(name), flags.symlinkFollow === true)));
  }

  openAt(pathFlags: PathFlags, name: string, open: OpenFlags, flags: DescriptorFlags): Descriptor {
    return coded(() => {
      const changes =
        open.create === true || open.truncate === true || flags.write === true || flags.mutateDirectory === true;
      const base = changes ? this.#mutableBase : this.base;
      const opened = at.openAt(this.#host.fs, base, path(name), {
        follow: pathFlags.symlinkFollow === true,
        create: open.create === true,
        exclusive: open.exclusive === true,
        directory: open.directory === true,
        truncate: open.truncate === true,
        write: flags.write === true,
      });
      return new Descriptor(this.#host, opened, flags, this.#reach, this.#mutable);
    });
  }

  createDirectoryAt(name: string): void {
    coded(() => at.makeDirAt(this.#host.fs, this.#mutableBase, path(name)));
  }

  linkAt(flags: PathFlags, name: string, to: Descriptor, toName: string): void {
    coded(() => {
      if (flags.symlinkFollow === true) throw fsError(ERRNO.EINVAL);
      at.linkAt(this.#host.fs, this.#mutableBase, path(name), to.#mutableBase, path(toName));
    });
  }

  readlinkAt(name: string): string {
    return coded(() => fromByteString(at.readlinkAt(this.#host.fs, this.base, path(name))));
  }

  removeDirectoryAt(name: string): void {
    coded(() => at.removeDirAt(this.#host.fs, this.#mutableBase, path(name)));
  }

  renameAt(name: string, to: Descriptor, toName: string): void {
    coded(() => at.renameAt(this.#host.fs, this.#mutableBase, path(name), to.#mutableBase, path(toName)));
  }

  symlinkAt(target: string, name: string): void {
    coded(() => at.symlinkAt(this.#host.fs, path(target), this.#mutableBase, path(name)));
  }

  unlinkFileAt(name: string): void {
    coded(() => at.unlinkAt(this.#host.fs, this.#mutableBase, path(name)));
  }

  isSameObject(other: Descriptor): boolean {
    return this.ino === other.ino;
  }

  metadataHash(): { lower: bigint; upper: bigint } {
    return hashOf(this.ino);
  }

  metadataHashAt(flags: PathFlags, name: string): { lower: bigint; upper: bigint } {
    return coded(() => hashOf(at.inodeAt(this.#host.fs, this.base, path(name), flags.symlinkFollow === true)));
  }

  [Symbol.dispose](): void {
    this.#shared.drop();
  }
}

/** Entries of a directory, one at a time. */
export class DirectoryEntryStream {
  readonly #host: ComponentHost;
  readonly #handle: Handle;
  #items: { readonly name: ByteString; readonly type: FileType; readonly cookie: number }[] = [];
  #cookie = 0;

  constructor(host: ComponentHost, handle: Handle) {
    this.#host = host;
    this.#handle = handle;
  }

  readDirectoryEntry(): { type: string; name: string } | undefined {
    return coded(() => {
      if (this.#items.length === 0) this.#items = this.#host.fs.readdir(this.#handle, this.#cookie, BATCH);
      const item = this.#items.shift();
      if (item === undefined) return undefined;
      this.#cookie = item.cookie;
      return { type: TYPES[item.type], name: fromByteString(item.name) };
    });
  }

  [Symbol.dispose](): void {
    this.#host.fs.close(this.#handle);
  }
}
