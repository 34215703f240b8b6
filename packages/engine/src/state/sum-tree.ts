// Adds up what a directory holds to which containers write meanwhile: everything is reached beneath a descriptor, no link is followed,
// names are bytes, and what a container nests deeper than a path can name is left out.
import { errorCode, type ByteString, type DirFs, type FileStat } from "@lapstrake/base";

/** What was removed, replaced or is out of reach when we look. */
const PASSED_OVER = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"]);

/**
 * Sum of `bytesOf` over everything beneath `dir`, itself not among it; what is on other devices is not, and a file with several names
 * counts once for all sums with one `seen`. */
export function sumTree(dir: DirFs, bytesOf: (stat: FileStat) => number, seen: Set<string> = new Set()): number {
  const device = dir.stat("")?.dev;
  const todo: ByteString[] = [""];
  let bytes = 0;
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const name of namesIn(dir, at)) {
      const path = at === "" ? name : `${at}/${name}`;
      const stat = orUndefined(() => dir.stat(path));
      if (stat === undefined || stat.dev !== device) continue;
      if (stat.type === "dir") todo.push(path);
      const inode = `${stat.dev}:${stat.ino}`;
      if (seen.has(inode)) continue;
      if (stat.nlink > 1 && stat.type !== "dir") seen.add(inode);
      bytes += bytesOf(stat);
    }
  }
  return bytes;
}

function namesIn(dir: DirFs, path: ByteString): ByteString[] {
  return (orUndefined(() => dir.readdir(path)) ?? []).map(({ name }) => name);
}

function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (PASSED_OVER.has(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}
