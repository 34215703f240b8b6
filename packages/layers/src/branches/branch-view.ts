// Directories stacked as AUFS and unionfs stack them: where a name comes from. Whiteouts are files of the branch (`.wh.NAME`,
// `.wh..wh..opq`), honoured in writable branches and where `ro+wh` says so (aufs(5) "Branch Permissions").
import { ERRNO, fsError, type ByteString, type DirFs, type FileStat } from "@lapstrake/base";
import { join } from "../tree/builder.ts";
import { OPAQUE_NAME, WHITEOUT_PREFIX } from "../tree/names.ts";

/** Writable; read-only; read-only for good; read-only with whiteouts of its own. */
export type BranchMode = "rw" | "ro" | "rr" | "ro+wh";

/** One directory of a union. */
export interface Branch {
  readonly dir: DirFs;
  readonly mode: BranchMode;
}

/** What a path is: its stat, the branch that shows it, and for directories every branch that adds names. */
export interface Found {
  readonly stat: FileStat;
  readonly owner: number;
  /** Indexes of the branches of a directory, top first. */
  readonly parts: readonly number[];
}

export class BranchView {
  readonly branches: readonly Branch[];

  /** `branches`: the first is on top. */
  constructor(branches: readonly Branch[]) {
    this.branches = branches;
  }

  /** What the union shows at `path`; undefined when nothing. "" is the root. */
  find(path: ByteString): Found | undefined {
    if (path === "") return this.#root();
    const { parent, name } = splitPath(path);
    const dir = this.find(parent);
    if (dir === undefined) return undefined;
    if (dir.stat.type !== "dir") throw fsError(ERRNO.ENOTDIR);
    return this.#child(dir, parent, name);
  }

  #root(): Found {
    const parts: number[] = [];
    for (const index of this.branches.keys()) {
      parts.push(index);
      if (this.#isOpaque(index, "")) break;
    }
    return { stat: this.branches[0]!.dir.stat("")!, owner: 0, parts };
  }

  #child(dir: Found, parent: ByteString, name: ByteString): Found | undefined {
    if (name.startsWith(WHITEOUT_PREFIX)) return undefined;
    const path = join(parent, name);
    let found: { stat: FileStat; owner: number } | undefined;
    const parts: number[] = [];
    for (const index of dir.parts) {
      const stat = this.branches[index]!.dir.stat(path);
      const isDir = stat?.type === "dir";
      if (stat !== undefined && (found === undefined || isDir)) {
        found ??= { stat, owner: index };
        if (isDir) parts.push(index);
      }
      const ends = stat !== undefined && !isDir;
      if (ends || this.isWhitedOut(index, path) || (isDir && this.#isOpaque(index, path))) break;
    }
    return found === undefined ? undefined : { ...found, parts };
  }

  /** True when branch `index` hides `path` in the branches below it. */
  isWhitedOut(index: number, path: ByteString): boolean {
    return this.#honours(index) && this.branches[index]!.dir.stat(whiteoutPath(path)) !== undefined;
  }

  #isOpaque(index: number, path: ByteString): boolean {
    return this.#honours(index) && this.branches[index]!.dir.stat(join(path, OPAQUE_NAME)) !== undefined;
  }

  #honours(index: number): boolean {
    const { mode } = this.branches[index]!;
    return mode === "rw" || mode === "ro+wh";
  }

  /** Names of a directory, each once, sorted. */
  names(path: ByteString): ByteString[] {
    const found = this.find(path);
    if (found === undefined) throw fsError(ERRNO.ENOENT);
    if (found.stat.type !== "dir") throw fsError(ERRNO.ENOTDIR);
    const names = new Set<ByteString>();
    for (const index of found.parts) for (const { name } of this.branches[index]!.dir.readdir(path)) names.add(name);
    return [...names].filter((name) => this.find(join(path, name)) !== undefined).sort();
  }

  /** The topmost writable branch among the first `count`; EROFS. */
  writable(count: number = this.branches.length): number {
    const index = this.branches.findIndex(({ mode }, i) => i < count && mode === "rw");
    if (index < 0) throw fsError(ERRNO.EROFS);
    return index;
  }
}

export function splitPath(path: ByteString): { parent: ByteString; name: ByteString } {
  const slash = path.lastIndexOf("/");
  return { parent: slash < 0 ? "" : path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Where the deletion of `path` is recorded. */
export function whiteoutPath(path: ByteString): ByteString {
  const { parent, name } = splitPath(path);
  return join(parent, WHITEOUT_PREFIX + name);
}
