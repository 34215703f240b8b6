// node:fs over a filesystem in memory, the synchronous calls: what tests and tools take instead of node:fs or memfs. Paths are absolute
// or relative to "/"; nothing outside the filesystem can be reached. Access is not checked: the caller is root.
import { ERRNO, fromByteString, fsError, toByteString } from "@lapstrake/base";
import { OPEN, type Attr, type Ino, type InodeFs } from "../fs/inode-fs.ts";
import { resolvePath } from "../fs/resolve-path.ts";
import { asNode } from "./errors.ts";
import { Dirent, Stats } from "./stats.ts";

/** A path as node:fs takes it. */
export type PathLike = string | Uint8Array | URL;
/** What files are written from. */
export type Data = string | Uint8Array;
/** An encoding, or options with one; text comes back for `utf8`, bytes otherwise. */
export type Encoding = "utf8" | "utf-8" | "buffer";
/** A time as Date or seconds. */
export type Time = Date | number;

type ReadOptions = Encoding | { readonly encoding?: Encoding | null; readonly flag?: string } | null | undefined;
interface WriteOptions {
  readonly mode?: number;
  readonly flag?: string;
}

const FLAGS: Readonly<
  Record<string, { readonly open: number; readonly create: boolean; readonly exclusive: boolean }>
> = {
  r: { open: OPEN.read, create: false, exclusive: false },
  "r+": { open: OPEN.read | OPEN.write, create: false, exclusive: false },
  w: { open: OPEN.write | OPEN.truncate, create: true, exclusive: false },
  wx: { open: OPEN.write | OPEN.truncate, create: true, exclusive: true },
  "w+": { open: OPEN.read | OPEN.write | OPEN.truncate, create: true, exclusive: false },
  "wx+": { open: OPEN.read | OPEN.write | OPEN.truncate, create: true, exclusive: true },
  a: { open: OPEN.write | OPEN.append, create: true, exclusive: false },
  ax: { open: OPEN.write | OPEN.append, create: true, exclusive: true },
  "a+": { open: OPEN.read | OPEN.write | OPEN.append, create: true, exclusive: false },
};

/** Where a path leads; `ino` is 0 when the last name does not exist. */
interface Place {
  readonly dir: Ino;
  readonly name: string;
  readonly ino: Ino;
}

export class SyncFacade {
  readonly #fs: InodeFs;
  /** File positions of descriptors. */
  readonly #positions = new Map<number, number>();

  constructor(fs: InodeFs) {
    this.#fs = fs;
  }

  #place(path: PathLike, follow = true): Place {
    const found = resolvePath(this.#fs, this.#fs.root, bytesOf(path), { followLast: follow });
    if (typeof found === "number") throw fsError(-found);
    return found;
  }

  #ino(path: PathLike, follow = true): Ino {
    const { ino } = this.#place(path, follow);
    if (ino === 0) throw fsError(ERRNO.ENOENT);
    return ino;
  }

  #call<T>(syscall: string, path: PathLike, run: () => T, dest?: PathLike): T {
    return asNode(syscall, textOf(path), run, dest === undefined ? undefined : textOf(dest));
  }

  existsSync(path: PathLike): boolean {
    const found = resolvePath(this.#fs, this.#fs.root, bytesOf(path));
    return typeof found !== "number" && found.ino !== 0;
  }

  accessSync(path: PathLike): void {
    this.#call("access", path, () => this.#ino(path));
  }

  statSync(path: PathLike): Stats {
    return this.#call("stat", path, () => new Stats(this.#fs.getattr(this.#ino(path))));
  }

  lstatSync(path: PathLike): Stats {
    return this.#call("lstat", path, () => new Stats(this.#fs.getattr(this.#ino(path, false))));
  }

  fstatSync(fd: number): Stats {
    return asNode("fstat", undefined, () => new Stats(this.#fs.getattr(this.#fs.inodeOf(fd))));
  }

  openSync(path: PathLike, flag = "r", mode = 0o666): number {
    return this.#call("open", path, () => {
      const flags = FLAGS[flag];
      if (flags === undefined) throw fsError(ERRNO.EINVAL);
      const place = this.#place(path);
      if (place.ino !== 0 && flags.exclusive) throw fsError(ERRNO.EEXIST);
      if (place.ino === 0 && !flags.create) throw fsError(ERRNO.ENOENT);
      const fd =
        place.ino === 0
          ? this.#fs.create(place.dir, place.name, mode, flags.open).handle
          : this.#fs.open(place.ino, flags.open);
      this.#positions.set(fd, 0);
      return fd;
    });
  }

  closeSync(fd: number): void {
    asNode("close", undefined, () => this.#fs.close(fd));
    this.#positions.delete(fd);
  }

  readSync(
    fd: number,
    buffer: Uint8Array,
    offset = 0,
    length: number = buffer.length - offset,
    position: number | null = null,
  ): number {
    return asNode("read", undefined, () => {
      const at = position ?? this.#positions.get(fd) ?? 0;
      const count = this.#fs.read(fd, buffer, offset, length, at);
      if (position === null) this.#positions.set(fd, at + count);
      return count;
    });
  }

  writeSync(fd: number, data: Data, offset = 0, length?: number, position: number | null = null): number {
    const bytes = toData(data);
    return asNode("write", undefined, () => {
      const at = position ?? this.#positions.get(fd) ?? 0;
      const count = this.#fs.write(fd, bytes, offset, length ?? bytes.length - offset, at);
      if (position === null) this.#positions.set(fd, at + count);
      return count;
    });
  }

  ftruncateSync(fd: number, size = 0): void {
    asNode("ftruncate", undefined, () => this.#fs.setattr(this.#fs.inodeOf(fd), { size }));
  }

  fsyncSync(fd: number): void {
    asNode("fsync", undefined, () => this.#fs.fsync(fd));
  }

  readFileSync(path: PathLike, options?: ReadOptions): string | Uint8Array {
    const fd = this.openSync(path, "r");
    try {
      const bytes = new Uint8Array(this.fstatSync(fd).size);
      let done = 0;
      for (let got = -1; got !== 0 && done < bytes.length; done += got)
        got = this.readSync(fd, bytes, done, bytes.length - done, done);
      return decode(bytes.subarray(0, done), options);
    } finally {
      this.closeSync(fd);
    }
  }

  writeFileSync(path: PathLike, data: Data, options: WriteOptions = {}): void {
    const bytes = toData(data);
    const fd = this.openSync(path, options.flag ?? "w", options.mode);
    try {
      for (let done = 0; done < bytes.length;) done += this.writeSync(fd, bytes, done, bytes.length - done, done);
    } finally {
      this.closeSync(fd);
    }
  }

  appendFileSync(path: PathLike, data: Data, options: WriteOptions = {}): void {
    this.writeFileSync(path, data, { ...options, flag: "a" });
  }

  truncateSync(path: PathLike, size = 0): void {
    this.#call("truncate", path, () => this.#fs.setattr(this.#ino(path), { size }));
  }

  copyFileSync(from: PathLike, to: PathLike): void {
    const { mode } = this.statSync(from);
    this.writeFileSync(to, this.readFileSync(from) as Uint8Array, { mode: mode & 0o7777 });
  }

  readdirSync(path: PathLike, options: { readonly withFileTypes: true; readonly recursive?: boolean }): Dirent[];
  readdirSync(path: PathLike, options?: { readonly withFileTypes?: false; readonly recursive?: boolean }): string[];
  readdirSync(
    path: PathLike,
    options: { readonly withFileTypes?: boolean; readonly recursive?: boolean } = {},
  ): string[] | Dirent[] {
    const entries = this.#entries(textOf(path).replace(/(?<=.)\/+$/, ""), options.recursive === true);
    if (options.withFileTypes === true) return entries;
    const base = textOf(path).replace(/\/*$/, "/");
    return entries.map(({ parentPath, name }) => `${parentPath}/`.replace(/\/+$/, "/").slice(base.length) + name);
  }

  #entries(path: string, recursive: boolean): Dirent[] {
    const items = this.#call("scandir", path, () => {
      const handle = this.#fs.opendir(this.#ino(path));
      try {
        return this.#fs.readdir(handle, 0, Number.MAX_SAFE_INTEGER);
      } finally {
        this.#fs.close(handle);
      }
    });
    return items.flatMap((item) => {
      const entry = new Dirent(item, path);
      const below =
        recursive && entry.isDirectory() ? this.#entries(`${path === "/" ? "" : path}/${entry.name}`, true) : [];
      return [entry, ...below];
    });
  }

  mkdirSync(
    path: PathLike,
    options: number | { readonly recursive?: boolean; readonly mode?: number } = {},
  ): string | undefined {
    const { recursive = false, mode = 0o777 } = typeof options === "number" ? { mode: options } : options;
    return this.#call("mkdir", path, () => {
      if (recursive) return this.#mkdirs(textOf(path), mode);
      const { dir, name, ino } = this.#place(path, false);
      if (ino !== 0) throw fsError(ERRNO.EEXIST);
      this.#fs.mkdir(dir, name, mode);
      return undefined;
    });
  }

  #mkdirs(path: string, mode: number): string | undefined {
    let first: string | undefined;
    const parts = path.split("/").filter((part) => part !== "");
    for (let i = 1; i <= parts.length; i++) {
      const at = `/${parts.slice(0, i).join("/")}`;
      const { dir, name, ino } = this.#place(at);
      if (ino === 0) {
        this.#fs.mkdir(dir, name, mode);
        first ??= at;
      } else if (this.#fs.getattr(ino).type !== "dir") throw fsError(i === parts.length ? ERRNO.EEXIST : ERRNO.ENOTDIR);
    }
    return first;
  }

  rmSync(path: PathLike, options: { readonly recursive?: boolean; readonly force?: boolean } = {}): void {
    this.#call("rm", path, () => {
      const { dir, name, ino } = this.#place(path, false);
      if (ino === 0) {
        if (options.force === true) return;
        throw fsError(ERRNO.ENOENT);
      }
      if (this.#fs.getattr(ino).type === "dir" && options.recursive !== true) throw fsError(ERRNO.EISDIR);
      this.#removeTree(dir, name, ino);
    });
  }

  #removeTree(dir: Ino, name: string, ino: Ino): void {
    if (this.#fs.getattr(ino).type !== "dir") {
      this.#fs.unlink(dir, name);
      return;
    }
    const handle = this.#fs.opendir(ino);
    const items = this.#fs.readdir(handle, 0, Number.MAX_SAFE_INTEGER);
    this.#fs.close(handle);
    for (const item of items) this.#removeTree(ino, item.name, item.ino);
    this.#fs.rmdir(dir, name);
  }

  rmdirSync(path: PathLike): void {
    this.#call("rmdir", path, () => {
      const { dir, name } = this.#place(path, false);
      this.#fs.rmdir(dir, name);
    });
  }

  unlinkSync(path: PathLike): void {
    this.#call("unlink", path, () => {
      const { dir, name } = this.#place(path, false);
      this.#fs.unlink(dir, name);
    });
  }

  renameSync(from: PathLike, to: PathLike): void {
    this.#call(
      "rename",
      from,
      () => {
        const [source, target] = [this.#place(from, false), this.#place(to, false)];
        this.#fs.rename(source.dir, source.name, target.dir, target.name, 0);
      },
      to,
    );
  }

  linkSync(existing: PathLike, path: PathLike): void {
    this.#call(
      "link",
      existing,
      () => {
        const ino = this.#ino(existing, false);
        const { dir, name } = this.#place(path, false);
        this.#fs.link(ino, dir, name);
      },
      path,
    );
  }

  symlinkSync(target: PathLike, path: PathLike): void {
    this.#call(
      "symlink",
      target,
      () => {
        const { dir, name } = this.#place(path, false);
        this.#fs.symlink(dir, name, bytesOf(target));
      },
      path,
    );
  }

  readlinkSync(path: PathLike): string {
    return this.#call("readlink", path, () => fromByteString(this.#fs.readlink(this.#ino(path, false))));
  }

  realpathSync(path: PathLike): string {
    return this.#call("realpath", path, () => {
      const place = this.#place(path);
      if (place.ino === 0) throw fsError(ERRNO.ENOENT);
      let { dir, name } = place;
      if (name === ".") [name, dir] = this.#nameOf(dir);
      const parts: string[] = name === "" ? [] : [fromByteString(name)];
      while (dir !== this.#fs.root) {
        [name, dir] = this.#nameOf(dir);
        parts.unshift(fromByteString(name));
      }
      return `/${parts.join("/")}`;
    });
  }

  /** Name and parent of a directory; "" for the root. */
  #nameOf(dir: Ino): [string, Ino] {
    const parent = this.#fs.lookup(dir, "..");
    if (parent === dir) return ["", dir];
    const handle = this.#fs.opendir(parent);
    const found = this.#fs.readdir(handle, 0, Number.MAX_SAFE_INTEGER).find(({ ino }) => ino === dir);
    this.#fs.close(handle);
    return [found?.name ?? "", parent];
  }

  chmodSync(path: PathLike, mode: number): void {
    this.#set("chmod", path, { mode });
  }

  chownSync(path: PathLike, uid: number, gid: number): void {
    this.#set("chown", path, { uid, gid });
  }

  lchownSync(path: PathLike, uid: number, gid: number): void {
    this.#set("lchown", path, { uid, gid }, false);
  }

  utimesSync(path: PathLike, atime: Time, mtime: Time): void {
    this.#set("utime", path, times(atime, mtime));
  }

  lutimesSync(path: PathLike, atime: Time, mtime: Time): void {
    this.#set("lutime", path, times(atime, mtime), false);
  }

  #set(syscall: string, path: PathLike, change: Partial<Attr>, follow = true): void {
    this.#call(syscall, path, () => this.#fs.setattr(this.#ino(path, follow), change));
  }

  mkdtempSync(prefix: string): string {
    const tail = [...crypto.getRandomValues(new Uint8Array(4))]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
    this.mkdirSync(prefix + tail, 0o700);
    return prefix + tail;
  }
}

function times(atime: Time, mtime: Time): Partial<Attr> {
  const [a, m] = [split(atime), split(mtime)];
  return { atimeSec: a.sec, atimeNsec: a.nsec, mtimeSec: m.sec, mtimeNsec: m.nsec };
}

function split(time: Time): { sec: number; nsec: number } {
  const seconds = typeof time === "number" ? time : time.getTime() / 1000;
  const sec = Math.floor(seconds);
  return { sec, nsec: Math.round((seconds - sec) * 1e9) };
}

function textOf(path: PathLike): string {
  if (typeof path === "string") return path;
  return path instanceof URL ? decodeURIComponent(path.pathname) : new TextDecoder().decode(path);
}

function bytesOf(path: PathLike): string {
  if (path instanceof Uint8Array) return String.fromCharCode(...path);
  return toByteString(textOf(path));
}

function toData(data: Data): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}

/** Text, or bytes: a Buffer where the platform has it, as node:fs gives. */
function decode(bytes: Uint8Array, options: ReadOptions): string | Uint8Array {
  const encoding = typeof options === "string" ? options : options?.encoding;
  if (encoding === "utf8" || encoding === "utf-8") return new TextDecoder().decode(bytes);
  const platform = (
    globalThis as { Buffer?: { from(buffer: ArrayBufferLike, at: number, length: number): Uint8Array } }
  ).Buffer;
  return platform === undefined ? bytes : platform.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
