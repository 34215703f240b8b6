// box.fs: the calls of node:fs/promises on a box's files, whatever the box is doing. Each call opens the files as they are at that
// moment, acts, and closes them again; nothing stays open between calls but streams.
import { LapError } from "@lapstrake/base";
import { Readable, type Writable } from "node:stream";
import { nodeFs, type Dirent, type NodeFs, type PromisesFacade } from "@lapstrake/layers";
import { BoxDir } from "./box-dir.ts";
import { copyTree, type CopyTreeOptions } from "./copy-tree.ts";
import { BoxFileHandle } from "./file-handle.ts";
import { globBox, type GlobOptions } from "./glob.ts";
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
  /** A handle that follows its name: the file is opened anew for each call, nothing of it stays open in the box. */
  open(path: string, flags?: string, mode?: number): Promise<BoxFileHandle>;
  /** The names that are there now. */
  opendir(path: string): Promise<BoxDir>;
  /** Copies a file or, with `recursive`, a tree, within the box. */
  cp(source: string, target: string, options?: CopyTreeOptions): Promise<void>;
  /** Paths relative to `cwd` (default "/"). */
  glob(patterns: string | readonly string[], options?: GlobOptions): AsyncIterableIterator<string>;
  /** Of the filesystem that keeps what the box writes. */
  statfs(path: string): Promise<BoxUsage>;
  /** The file in pieces, with backpressure; from byte `start` to `end`, both counted in. */
  createReadStream(path: string, options?: ReadRange): Readable;
  /** Takes the file in pieces, each on disk before the next is taken. */
  createWriteStream(path: string, options?: { readonly mode?: number; readonly flag?: string }): Writable;
  /** Not to be had: throws `ERR_LAP_FS_WATCH`. */
  watch(path: string, ...rest: unknown[]): never;
}

/** Sizes in blocks of `bsize` bytes, as `fs.statfs` has them. */
export interface BoxUsage {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/** Which bytes of a file. */
export interface ReadRange {
  readonly start?: number;
  readonly end?: number;
}

/** Opens a box's files for the length of `use`. */
export type OpenFiles = <T>(use: (fs: ReturnType<typeof nodeFs>) => T | Promise<T>) => Promise<T>;

const CHUNK_BYTES = 256 * 1024;

/** {@link BoxFs} over files that `open` gives; `usage` is that of the filesystem that keeps what the box writes. */
export function boxFs(open: OpenFiles, usage: () => BoxUsage | Promise<BoxUsage>): BoxFs {
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
    open: (path: string, flags?: string, mode?: number) => BoxFileHandle.open(open, path, flags, mode),
    opendir: async (path: string) =>
      new BoxDir(path, await open((fs) => fs.readdirSync(path, { withFileTypes: true }))),
    cp: (source: string, target: string, options: CopyTreeOptions = {}) =>
      open((fs) => copyTree(fs, source, target, options)),
    glob: (patterns: string | readonly string[], options: GlobOptions = {}) => globBox(open, patterns, options),
    statfs: async (path: string) => {
      await open((fs) => fs.statSync(path));
      return usage();
    },
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
