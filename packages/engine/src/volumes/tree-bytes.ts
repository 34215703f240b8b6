// Size of a directory that containers write to, as docker counts it: bytes of what is no directory, a file with several names once.
// Everything is reached beneath a descriptor, whatever is renamed meanwhile.
import { errorCode, type ByteString, type DirFs } from "@lapstrake/base";

/** What was removed or replaced while we looked. */
const CHANGED = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** Sum of the sizes beneath `dir`, in bytes. */
export function treeBytes(dir: DirFs): number {
  const seen = new Set<string>();
  const todo: ByteString[] = [""];
  let bytes = 0;
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const name of namesIn(dir, at)) {
      const path = at === "" ? name : `${at}/${name}`;
      const stat = unlessChanged(() => dir.stat(path));
      if (stat?.type === "dir") todo.push(path);
      if (stat === undefined || stat.type === "dir") continue;
      const inode = `${stat.dev}:${stat.ino}`;
      if (seen.has(inode)) continue;
      if (stat.nlink > 1) seen.add(inode);
      bytes += stat.size;
    }
  }
  return bytes;
}

function namesIn(dir: DirFs, path: ByteString): ByteString[] {
  return (unlessChanged(() => dir.readdir(path)) ?? []).map(({ name }) => name);
}

function unlessChanged<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (CHANGED.has(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}
