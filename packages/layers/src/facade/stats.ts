// fs.Stats and fs.Dirent over an inode's attributes.
import { fromByteString, type FileType } from "@lapstrake/base";
import type { Attr, DirItem } from "../fs/inode-fs.ts";

const TYPE_BITS: Readonly<Record<FileType, number>> = {
  fifo: 0o010000,
  char: 0o020000,
  dir: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
};

class Kind {
  readonly #type: FileType;

  constructor(type: FileType) {
    this.#type = type;
  }

  isFile(): boolean {
    return this.#type === "file";
  }
  isDirectory(): boolean {
    return this.#type === "dir";
  }
  isSymbolicLink(): boolean {
    return this.#type === "symlink";
  }
  isFIFO(): boolean {
    return this.#type === "fifo";
  }
  isSocket(): boolean {
    return this.#type === "socket";
  }
  isCharacterDevice(): boolean {
    return this.#type === "char";
  }
  isBlockDevice(): boolean {
    return this.#type === "block";
  }
}

/** Node's fs.Stats; times as Date and in milliseconds. */
export class Stats extends Kind {
  readonly dev: number = 0;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blksize: number = 4096;
  readonly blocks: number;
  readonly atimeMs: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly birthtimeMs: number;

  constructor(attr: Attr) {
    super(attr.type);
    this.ino = attr.ino;
    this.mode = TYPE_BITS[attr.type] | attr.mode;
    this.nlink = attr.nlink;
    this.uid = attr.uid;
    this.gid = attr.gid;
    this.rdev = attr.rdevMajor * 256 + attr.rdevMinor;
    this.size = attr.size;
    this.blocks = attr.blocks;
    this.atimeMs = attr.atimeSec * 1000 + attr.atimeNsec / 1e6;
    this.mtimeMs = attr.mtimeSec * 1000 + attr.mtimeNsec / 1e6;
    this.ctimeMs = attr.ctimeSec * 1000 + attr.ctimeNsec / 1e6;
    this.birthtimeMs = this.ctimeMs;
  }

  get atime(): Date {
    return new Date(this.atimeMs);
  }
  get mtime(): Date {
    return new Date(this.mtimeMs);
  }
  get ctime(): Date {
    return new Date(this.ctimeMs);
  }
  get birthtime(): Date {
    return new Date(this.birthtimeMs);
  }
}

/** Node's fs.Dirent. */
export class Dirent extends Kind {
  readonly name: string;
  readonly parentPath: string;

  constructor(item: DirItem, parentPath: string) {
    super(item.type);
    this.name = fromByteString(item.name);
    this.parentPath = parentPath;
  }
}
