// box.fs: the calls of node:fs/promises on a box's files, whatever the box is doing. Each call opens the files as they are at that
// moment, acts, and closes them again; nothing stays open between calls but streams.
import { LapError } from "@lapstrake/base";
import { Readable, type Writable } from "node:stream";
import { nodeFs, type Dirent, type NodeFs, type PromisesFacade } from "@lapstrake/layers";
import { readWhole } from "./read-whole.ts";
import { writeStream } from "./write-stream.ts";

/** Calls that hold nothing open. */
const CALLS = [
  "access",
  "appendFile",
  "chmod",
  "chown",
  "copyFile",
  "lchown",
  "link",
  "lstat",
  "lutimes",
  "mkdir",
  "mkdtemp",
  "readdir",
  "readlink",
  "realpath",
  "rename",
  "rm",
  "rmdir",
  "stat",
  "symlink",
  "truncate",
  "unlink",
  "utimes",
] as const;
type Call = (typeof CALLS)[number];

/** What `fs.writeFile` takes. */
export type FileData = string | Uint8Array | AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** `node:fs/promises` on a box, its paths absolute or from "/". The caller is root in it; nothing leads out of it. */
export interface BoxFs extends Pick<PromisesFacade, Exclude<Call, "readdir">> {
  readdir(path: string, options?: { readonly withFileTypes?: false; readonly recursive?: boolean }): Promise<string[]>;
  readdir(path: string, options: { readonly withFileTypes: true; readonly recursive?: boolean }): Promise<Dirent[]>;
  readFile(path: string, encoding: "utf8" | { readonly encoding: "utf8" }): Promise<string>;
  readFile(path: string): Promise<Uint8Array>;
  /** Replaces the file; streams are written as they come. */
  writeFile(path: string, data: FileData, options?: { readonly mode?: number; readonly flag?: string }): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** The file in pieces, with backpressure; from byte `start` to `end`, both counted in. */
  createReadStream(path: string, options?: ReadRange): Readable;
  /** Takes the file in pieces, each on disk before the next is taken. */
  createWriteStream(path: string, options?: { readonly mode?: number; readonly flag?: string }): Writable;
  /** Not to be had: throws `ERR_LAP_FS_WATCH`. */
  watch(path: string, ...rest: unknown[]): never;
}

/** Which bytes of a file. */
export interface ReadRange {
  readonly start?: number;
  readonly end?: number;
}

/** Opens a box's files for the length of `use`. */
export type OpenFiles = <T>(use: (fs: ReturnType<typeof nodeFs>) => T | Promise<T>) => Promise<T>;

const CHUNK_BYTES = 256 * 1024;

/** {@link BoxFs} over files that `open` gives. */
export function boxFs(open: OpenFiles): BoxFs {
  const calls = Object.fromEntries(
    CALLS.map((name) => [name, (...args: unknown[]) => open((fs) => callOf(fs, name)(...args))]),
  );
  const own = {
    readFile: (path: string, options?: "utf8" | { readonly encoding: "utf8" }) =>
      open((fs) => {
        const bytes = readWhole(fs, path);
        return options === undefined ? bytes : Buffer.from(bytes).toString("utf8");
      }),
    writeFile: (path: string, data: FileData, options: { readonly mode?: number; readonly flag?: string } = {}) =>
      open((fs) => writeAll(fs, path, data, options)),
    exists: (path: string) => open((fs) => fs.existsSync(path)),
    createReadStream: (path: string, range: ReadRange = {}) =>
      Readable.from(chunksOf(open, path, range), { objectMode: false }),
    createWriteStream: (path: string, options: { readonly mode?: number; readonly flag?: string } = {}) =>
      writeStream(open, path, options),
    watch: () => {
      throw noWatch();
    },
  };
  return { ...calls, ...own } as unknown as BoxFs;
}

function callOf(fs: NodeFs, name: Call): (...args: unknown[]) => unknown {
  return fs[`${name}Sync`] as unknown as (...args: unknown[]) => unknown;
}

async function writeAll(
  fs: NodeFs,
  path: string,
  data: FileData,
  { mode, flag = "w" }: { readonly mode?: number; readonly flag?: string },
): Promise<void> {
  const fd = fs.openSync(path, flag, mode);
  try {
    if (typeof data === "string" || data instanceof Uint8Array) writeChunk(fs, fd, data);
    else for await (const chunk of data) writeChunk(fs, fd, chunk);
  } finally {
    fs.closeSync(fd);
  }
}

function writeChunk(fs: NodeFs, fd: number, chunk: string | Uint8Array): void {
  const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done);
}

/** Each piece is a call of its own, at its own position: a slow reader holds nothing open. */
async function* chunksOf(
  open: OpenFiles,
  path: string,
  { start = 0, end = Infinity }: ReadRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at <= end;) {
    const most = Math.min(CHUNK_BYTES, end + 1 - at);
    const chunk = await open((fs) => readAt(fs, path, at, most));
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}

function readAt(fs: NodeFs, path: string, at: number, bytes: number): Uint8Array {
  const fd = fs.openSync(path, "r");
  try {
    const chunk = new Uint8Array(bytes);
    return chunk.subarray(0, fs.readSync(fd, chunk, 0, chunk.length, at));
  } finally {
    fs.closeSync(fd);
  }
}

function noWatch(): LapError {
  return new LapError("unimplemented", "ERR_LAP_FS_WATCH", "the files of a box cannot be watched", {
    hint: "ask again with stat, wait for a log line, or share a folder with volumes and watch that",
  });
}
