// The descriptors a guest starts with: 0, 1, 2, and the whole filesystem as "/".
import { LapError, fromByteString, toByteString, type ByteString } from "@lapstrake/base";
import { resolvePath, type InodeFs, type Ino } from "@lapstrake/layers";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { DIR_RIGHTS, FILE_RIGHTS, RIGHT, STREAM_RIGHTS } from "../p1/abi.ts";
import type { Reach } from "../files/walk.ts";
import type { Descriptor, DescriptorTable } from "../p1/descriptors.ts";

/** Each costs a descriptor of the guest. */
const MAX_ROOT_NAMES = 64;

/** A stream descriptor of one direction. */
export function stream(input: GuestInput | undefined, output: GuestOutput | undefined): Descriptor {
  const unusable = input === undefined ? RIGHT.fdRead : RIGHT.fdWrite;
  return {
    object: { kind: "stream", input, output, flags: 0, refs: 1 },
    rights: STREAM_RIGHTS & ~unusable,
    inheriting: 0,
    preopen: undefined,
    reach: "beneath",
  };
}

/** A directory that a guest finds open under a name. */
export interface PreopenDir {
  readonly ino: Ino;
  readonly name: string;
  readonly reach: Reach;
  /** Where names are looked for that this one does not have. */
  readonly otherwise?: Ino | undefined;
}

/**
 * The whole filesystem as "/". WASI has no working directory: a libc drops the "/" of absolute paths and takes the preopen with
 * the longest matching name. So a directory other than "/" comes as ".", and the directories of the root by their own names. Nobody can
 * tell "/a" from "a" then: what is not in the directory that such a name stands for first is looked for in the other.
 */
export function wholeFilesystem(fs: InodeFs, cwd: string): PreopenDir[] {
  const root: PreopenDir = { ino: fs.root, name: "/", reach: "filesystem" };
  const here = directoryAt(fs, toByteString(cwd));
  if (here === fs.root) return [root];
  const named = directoriesOfRoot(fs).map((name): PreopenDir => ({
    ino: directoryAt(fs, name),
    name: `/${fromByteString(name)}`,
    reach: "filesystem",
    otherwise: directoryIn(fs, here, name),
  }));
  return [root, { ino: here, name: ".", reach: "filesystem", otherwise: fs.root }, ...named];
}

/** Parts of the filesystem under names of their own. */
export function partsOf(fs: InodeFs, parts: Readonly<Record<string, string>>): PreopenDir[] {
  return Object.entries(parts).map(([name, path]) => ({
    ino: directoryAt(fs, toByteString(path)),
    name,
    reach: "beneath",
  }));
}

/** What a run's guest finds open. */
export function preopensOf(run: {
  readonly fs: InodeFs;
  readonly cwd?: string;
  readonly preopens?: Readonly<Record<string, string>>;
}): PreopenDir[] {
  return run.preopens === undefined ? wholeFilesystem(run.fs, run.cwd ?? "/") : partsOf(run.fs, run.preopens);
}

/** Preview1: descriptors from 3 on. */
export function openPreopens(fds: DescriptorTable, fs: InodeFs, list: readonly PreopenDir[]): void {
  for (const dir of list) fds.add(preopen(fs, dir));
}

/** Names in the root that are directories, or links to some. */
function directoriesOfRoot(fs: InodeFs): ByteString[] {
  const handle = fs.opendir(fs.root);
  const items = fs.readdir(handle, 0, MAX_ROOT_NAMES);
  fs.close(handle);
  return items.map(({ name }) => name).filter((name) => isDirectory(fs, name));
}

function isDirectory(fs: InodeFs, path: ByteString): boolean {
  return directoryIn(fs, fs.root, path) !== undefined;
}

function directoryIn(fs: InodeFs, base: Ino, path: ByteString): Ino | undefined {
  const found = resolvePath(fs, base, path);
  const isDir = typeof found !== "number" && found.ino !== 0 && fs.getattr(found.ino).type === "dir";
  return isDir ? found.ino : undefined;
}

/** A preopened directory under the name the guest sees. */
export function preopen(fs: InodeFs, { ino, name, reach, otherwise }: PreopenDir): Descriptor {
  return {
    object: { kind: "dir", ino, handle: fs.opendir(ino), flags: 0, refs: 1 },
    rights: DIR_RIGHTS,
    inheriting: DIR_RIGHTS | FILE_RIGHTS,
    preopen: toByteString(name),
    reach,
    otherwise,
  };
}

/** The directory at an absolute path, links followed. */
function directoryAt(fs: InodeFs, path: ByteString): Ino {
  const found = directoryIn(fs, fs.root, path);
  if (found !== undefined) return found;
  throw new LapError("notFound", "ERR_LAP_WASM_CWD", `"${fromByteString(path)}" is no directory of the filesystem`, {
    hint: "create it in a layer, or choose another working directory",
  });
}
