// A file or tree beneath a descriptor -> members of a tar, one after the other, while others may change everything: what is opened
// decides what it is, links are data, what goes away meanwhile is left out. Memory does not know how large the tree is.
import { errorCode, type ByteString, type DirFs, type FileHandle, type FileStat } from "@lapstrake/base";
import type { Content, LayerEntry } from "@lapstrake/layers";

/** Removed or replaced since we looked. */
const CHANGED = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EISDIR"]);
const XATTRS = /^(?:user\.(?!overlay\.)|security\.capability$)/;

interface Place {
  readonly path: ByteString;
  readonly name: ByteString;
}

/** Members of what is at `path`; `name` is its name in the archive. Take each entry's bytes before the next entry. */
export function* copyEntries(dir: DirFs, path: ByteString, name: ByteString): Generator<LayerEntry, void, undefined> {
  const links = new Map<string, ByteString>();
  const todo: Place[] = [{ path, name }];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    const place = at;
    const stat = unlessChanged(() => dir.stat(place.path));
    if (stat === undefined || stat.type === "socket") continue;
    const inode = `${stat.dev}:${stat.ino}`;
    const first = stat.type === "dir" || stat.nlink < 2 ? undefined : links.get(inode);
    if (first !== undefined) {
      yield { ...entryOf(place.name, stat), type: "hardlink", size: 0, target: first };
      continue;
    }
    if (stat.nlink > 1 && stat.type !== "dir") links.set(inode, place.name);
    if (stat.type === "file") yield* fileEntry(dir, place);
    else yield* otherEntry(dir, place, stat);
    if (stat.type === "dir") todo.push(...children(dir, place));
  }
}

function* fileEntry(dir: DirFs, { path, name }: Place): Generator<LayerEntry, void, undefined> {
  using file = unlessChanged(() => dir.open(path, { read: true }));
  const stat = file?.stat();
  // Somebody may have put a device or a fifo in its place.
  if (file === undefined || stat?.type !== "file") return;
  const content = new OpenContent(file, stat.size);
  yield { ...entryOf(name, stat), size: stat.size, content, xattrs: xattrsOf(dir, path) };
}

function* otherEntry(dir: DirFs, { path, name }: Place, stat: FileStat): Generator<LayerEntry, void, undefined> {
  const target = stat.type === "symlink" ? unlessChanged(() => dir.readlink(path)) : "";
  if (target === undefined) return;
  yield { ...entryOf(name, stat), target, xattrs: stat.type === "dir" ? xattrsOf(dir, path) : undefined };
}

/** In reverse, for a stack. */
function children(dir: DirFs, { path, name }: Place): Place[] {
  const names = (unlessChanged(() => dir.readdir(path)) ?? []).map((entry) => entry.name);
  const under = (base: ByteString, child: ByteString): ByteString => (base === "" ? child : `${base}/${child}`);
  return names
    .toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0))
    .map((child) => ({ path: under(path, child), name: under(name, child) }));
}

function entryOf(path: ByteString, stat: FileStat): LayerEntry {
  return {
    path,
    type: stat.type,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    size: 0,
    mtimeSec: stat.mtime.sec,
    mtimeNsec: stat.mtime.nsec,
    target: "",
    rdevMajor: stat.rdevMajor,
    rdevMinor: stat.rdevMinor,
    xattrs: undefined,
    content: undefined,
  };
}

function xattrsOf(dir: DirFs, path: ByteString): ReadonlyMap<ByteString, Uint8Array> | undefined {
  if (!dir.features.xattrs) return undefined;
  const names = unlessChanged(() => dir.listXattrs(path)) ?? [];
  const found = names
    .filter((name) => XATTRS.test(name))
    .flatMap((name): [ByteString, Uint8Array][] => {
      const value = unlessChanged(() => dir.getXattr(path, name));
      return value === undefined ? [] : [[name, value]];
    });
  return found.length === 0 ? undefined : new Map(found);
}

function unlessChanged<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (CHANGED.has(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** Bytes of an open file. */
class OpenContent implements Content {
  readonly size: number;
  readonly #file: FileHandle;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  read(position: number, into: Uint8Array, offset: number, length: number): number {
    let done = 0;
    for (let got = -1; got !== 0 && done < length; done += got) {
      got = this.#file.read(into, offset + done, length - done, position + done);
    }
    return done;
  }
}
