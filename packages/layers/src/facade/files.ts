// Files and descriptors of the node:fs facade: stat, open, read, write, copy.
import { ERRNO, fsError } from "@lapstrake/base";
import { OPEN } from "../fs/inode-fs.ts";
import { resolvePath } from "../fs/resolve-path.ts";
import { asNode } from "./errors.ts";
import { PathFacade, bytesOf, type Data, type Encoding, type PathLike } from "./paths.ts";
import { Stats } from "./stats.ts";

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

/** The calls on files. */
export class FileFacade extends PathFacade {
  /** File positions of descriptors. */
  readonly #positions = new Map<number, number>();

  existsSync(path: PathLike): boolean {
    const found = resolvePath(this.fs, this.fs.root, bytesOf(path));
    return typeof found !== "number" && found.ino !== 0;
  }

  accessSync(path: PathLike): void {
    this.call("access", path, () => this.ino(path));
  }

  statSync(path: PathLike): Stats {
    return this.call("stat", path, () => new Stats(this.fs.getattr(this.ino(path))));
  }

  lstatSync(path: PathLike): Stats {
    return this.call("lstat", path, () => new Stats(this.fs.getattr(this.ino(path, false))));
  }

  fstatSync(fd: number): Stats {
    return asNode("fstat", undefined, () => new Stats(this.fs.getattr(this.fs.inodeOf(fd))));
  }

  openSync(path: PathLike, flag = "r", mode = 0o666): number {
    return this.call("open", path, () => {
      const flags = FLAGS[flag];
      if (flags === undefined) throw fsError(ERRNO.EINVAL);
      const place = this.place(path);
      if (place.ino !== 0 && flags.exclusive) throw fsError(ERRNO.EEXIST);
      if (place.ino === 0 && !flags.create) throw fsError(ERRNO.ENOENT);
      const fd =
        place.ino === 0
          ? this.fs.create(place.dir, place.name, mode, flags.open).handle
          : this.fs.open(place.ino, flags.open);
      this.#positions.set(fd, 0);
      return fd;
    });
  }

  closeSync(fd: number): void {
    asNode("close", undefined, () => this.fs.close(fd));
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
      const count = this.fs.read(fd, buffer, offset, length, at);
      if (position === null) this.#positions.set(fd, at + count);
      return count;
    });
  }

  writeSync(fd: number, data: Data, offset = 0, length?: number, position: number | null = null): number {
    const bytes = toData(data);
    return asNode("write", undefined, () => {
      const at = position ?? this.#positions.get(fd) ?? 0;
      const count = this.fs.write(fd, bytes, offset, length ?? bytes.length - offset, at);
      if (position === null) this.#positions.set(fd, at + count);
      return count;
    });
  }

  ftruncateSync(fd: number, size = 0): void {
    asNode("ftruncate", undefined, () => this.fs.setattr(this.fs.inodeOf(fd), { size }));
  }

  fsyncSync(fd: number): void {
    asNode("fsync", undefined, () => this.fs.fsync(fd));
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
    this.call("truncate", path, () => this.fs.setattr(this.ino(path), { size }));
  }

  copyFileSync(from: PathLike, to: PathLike): void {
    const { mode } = this.statSync(from);
    this.writeFileSync(to, this.readFileSync(from) as Uint8Array, { mode: mode & 0o7777 });
  }
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
