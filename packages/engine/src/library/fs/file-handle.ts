// box.fs.open: what node:fs/promises calls a FileHandle, as a path, a position and a way of opening. The file is opened anew for each
// call, as everything of box.fs is, so that nothing stays open in a container; a handle follows its name, not a rename.
import { ERRNO, systemError } from "@lapstrake/base";
import type { NodeFs, Stats } from "@lapstrake/layers";
import { createInterface } from "node:readline";
import { Readable, Writable } from "node:stream";
import type { OpenFiles, ReadRange } from "./box-fs.ts";
import { settle } from "./write-stream.ts";

const CHUNK_BYTES = 256 * 1024;

/** Bytes of one read. */
export interface ReadResult {
  readonly bytesRead: number;
  readonly buffer: Uint8Array;
}

/** Where to read to; the whole buffer at the handle's own position by default. */
export interface ReadOptions {
  readonly buffer?: Uint8Array;
  readonly offset?: number;
  readonly length?: number;
  /** Null or absent: the handle's own, which then moves on. */
  readonly position?: number | null;
}

/** An open file of a box. */
export class BoxFileHandle implements AsyncDisposable {
  readonly path: string;
  readonly #open: OpenFiles;
  readonly #flags: string;
  #position = 0;
  #closed = false;

  private constructor(open: OpenFiles, path: string, flags: string) {
    this.#open = open;
    this.path = path;
    this.#flags = flags;
  }

  /** Opens, and makes or empties the file as `flags` say. */
  static async open(open: OpenFiles, path: string, flags = "r", mode?: number): Promise<BoxFileHandle> {
    // What the name stands for now.
    const place = await open((fs) => {
      fs.closeSync(fs.openSync(path, flags, mode));
      return fs.realpathSync(path);
    });
    return new BoxFileHandle(open, place, flags);
  }

  /** Like `handle.read` of Node, in both its forms. */
  async read(
    to: Uint8Array | ReadOptions = {},
    offset = 0,
    length?: number,
    position: number | null = null,
  ): Promise<ReadResult> {
    const asked = to instanceof Uint8Array ? { buffer: to, offset, length, position } : to;
    const buffer = asked.buffer ?? new Uint8Array(16_384);
    const start = asked.offset ?? 0;
    const at = asked.position ?? this.#position;
    const bytesRead = await this.#use("read", (fs, fd) =>
      fs.readSync(fd, buffer, start, asked.length ?? buffer.length - start, at),
    );
    if (typeof asked.position !== "number") this.#position = at + bytesRead;
    return { bytesRead, buffer };
  }

  /** All from the handle's position on. */
  async readFile(encoding: "utf8" | { readonly encoding: "utf8" }): Promise<string>;
  async readFile(): Promise<Uint8Array>;
  async readFile(encoding?: "utf8" | { readonly encoding: "utf8" }): Promise<string | Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const { bytesRead, buffer } = await this.read({ buffer: new Uint8Array(CHUNK_BYTES) });
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
    }
    const bytes = Buffer.concat(chunks);
    return encoding === undefined ? new Uint8Array(bytes) : bytes.toString("utf8");
  }

  /** Writes all of `data`, at `position` or where the handle is; with "a" at the end. */
  async write(
    data: string | Uint8Array,
    position?: number | null,
  ): Promise<{ readonly bytesWritten: number; readonly buffer: string | Uint8Array }> {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    const at = position ?? this.#position;
    await this.#use("write", (fs, fd) => {
      for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done, at + done);
    });
    if (typeof position !== "number") this.#position = at + bytes.length;
    return { bytesWritten: bytes.length, buffer: data };
  }

  async writeFile(data: string | Uint8Array): Promise<void> {
    await this.write(data);
  }

  async appendFile(data: string | Uint8Array): Promise<void> {
    await this.write(data);
  }

  stat(): Promise<Stats> {
    return this.#use("stat", (fs, fd) => fs.fstatSync(fd));
  }
  truncate(size = 0): Promise<void> {
    return this.#use("write", (fs, fd) => fs.ftruncateSync(fd, size));
  }
  chmod(mode: number): Promise<void> {
    return this.#use("stat", (fs) => fs.chmodSync(this.path, mode));
  }
  chown(uid: number, gid: number): Promise<void> {
    return this.#use("stat", (fs) => fs.chownSync(this.path, uid, gid));
  }
  utimes(atime: number | Date, mtime: number | Date): Promise<void> {
    return this.#use("stat", (fs) => fs.utimesSync(this.path, atime, mtime));
  }
  sync(): Promise<void> {
    return this.#use("stat", (fs, fd) => fs.fsyncSync(fd));
  }
  datasync(): Promise<void> {
    return this.sync();
  }

  createReadStream(range: ReadRange = {}): Readable {
    return Readable.from(this.#chunks(range), { objectMode: false });
  }

  createWriteStream(): Writable {
    return new Writable({
      write: (chunk: Uint8Array, _encoding, done) => void settle(this.write(chunk), done),
    });
  }

  /** Lines from the handle's position on. */
  readLines(): AsyncIterable<string> {
    return createInterface({ input: this.createReadStream(), crlfDelay: Number.POSITIVE_INFINITY });
  }

  async *#chunks({ start = this.#position, end = Infinity }: ReadRange): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = start; at <= end;) {
      const length = Math.min(CHUNK_BYTES, end + 1 - at);
      const { bytesRead, buffer } = await this.read({ buffer: new Uint8Array(length), position: at });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  async #use<T>(what: "read" | "write" | "stat", act: (fs: NodeFs, fd: number) => T): Promise<T> {
    if (this.#closed || !this.#allows(what)) throw systemError(ERRNO.EBADF, what);
    const again = what === "write" ? (this.#flags.startsWith("a") ? "a" : "r+") : "r";
    return this.#open((fs) => {
      const fd = fs.openSync(this.path, again);
      try {
        return act(fs, fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  }

  #allows(what: "read" | "write" | "stat"): boolean {
    if (what === "stat" || this.#flags.endsWith("+")) return true;
    return (what === "read") === this.#flags.startsWith("r");
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.reject(systemError(ERRNO.EBADF, "close"));
    this.#closed = true;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
  }
}
