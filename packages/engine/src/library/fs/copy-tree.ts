// box.fs.cp: a file or a tree of a box to another place in it, with the options of node:fs/promises.
import { ERRNO, systemError } from "@lapstrake/base";
import type { NodeFs } from "@lapstrake/layers";
import { dirname, join, resolve } from "node:path/posix";

const CHUNK_BYTES = 256 * 1024;

/** As `fs.cp` has them; links keep their text. */
export interface CopyTreeOptions {
  readonly recursive?: boolean;
  /** Replace files that are there; default true. */
  readonly force?: boolean;
  /** With `force: false`, a file that is there is an error. */
  readonly errorOnExist?: boolean;
  /** Copy what links lead to instead of the links. */
  readonly dereference?: boolean;
  readonly preserveTimestamps?: boolean;
  /** False leaves a file, or a directory with all in it, out. */
  readonly filter?: (source: string, target: string) => boolean | Promise<boolean>;
}

/** Copies `source` to `target`, which is its new name, not a directory to put it in. */
export async function copyTree(fs: NodeFs, source: string, target: string, options: CopyTreeOptions): Promise<void> {
  const [from, to] = [resolve("/", source), resolve("/", target)];
  if (to === from || to.startsWith(`${from === "/" ? "" : from}/`)) throw systemError(ERRNO.EINVAL, "cp", source);
  if (options.recursive !== true && statOf(fs, from, options).isDirectory())
    throw systemError(ERRNO.EISDIR, "cp", source);
  fs.mkdirSync(dirname(to), { recursive: true });
  await copy(fs, from, to, options);
}

function statOf(fs: NodeFs, path: string, { dereference }: CopyTreeOptions): ReturnType<NodeFs["statSync"]> {
  return dereference === true ? fs.statSync(path) : fs.lstatSync(path);
}

async function copy(fs: NodeFs, from: string, to: string, options: CopyTreeOptions): Promise<void> {
  if (options.filter !== undefined && !(await options.filter(from, to))) return;
  const stat = statOf(fs, from, options);
  const there = present(fs, to);
  if (stat.isDirectory()) {
    if (there !== undefined && !there.isDirectory()) throw systemError(ERRNO.ENOTDIR, "cp", to);
    if (there === undefined) fs.mkdirSync(to, stat.mode & 0o7777);
    for (const name of fs.readdirSync(from)) await copy(fs, join(from, name), join(to, name), options);
  } else {
    if (there?.isDirectory() === true) throw systemError(ERRNO.EISDIR, "cp", to);
    if (there !== undefined && options.force === false) {
      if (options.errorOnExist === true) throw systemError(ERRNO.EEXIST, "cp", to);
      return;
    }
    if (there !== undefined) fs.unlinkSync(to);
    if (stat.isSymbolicLink()) return fs.symlinkSync(fs.readlinkSync(from), to);
    if (!stat.isFile()) throw systemError(ERRNO.EINVAL, "cp", from);
    copyBytes(fs, from, to, stat.mode & 0o7777);
  }
  if (options.preserveTimestamps === true) fs.utimesSync(to, stat.atime, stat.mtime);
}

function present(fs: NodeFs, path: string): ReturnType<NodeFs["lstatSync"]> | undefined {
  try {
    return fs.lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function copyBytes(fs: NodeFs, from: string, to: string, mode: number): void {
  const source = fs.openSync(from, "r");
  try {
    const target = fs.openSync(to, "wx", mode);
    try {
      const chunk = new Uint8Array(CHUNK_BYTES);
      for (let at = 0, got = -1; got !== 0; at += got) {
        got = fs.readSync(source, chunk, 0, chunk.length, at);
        for (let done = 0; done < got;) done += fs.writeSync(target, chunk, done, got - done, at + done);
      }
    } finally {
      fs.closeSync(target);
    }
  } finally {
    fs.closeSync(source);
  }
}
