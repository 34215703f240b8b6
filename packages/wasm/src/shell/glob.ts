// Pathname expansion (XCU 2.13.3) over the inode filesystem: one directory level per pattern segment.
import type { ByteString } from "@lapstrake/base";
import type { InodeFs } from "@lapstrake/layers";
import { attributes, resolveFrom } from "./paths.ts";
import { compilePattern, literalOf } from "./pattern.ts";

/** Names asked for at once. */
const BATCH = 1024;

/** The existing paths that match, sorted by bytes; [] when none does or the pattern has no active characters. */
export function glob(fs: InodeFs, cwd: ByteString, pattern: ByteString): ByteString[] {
  if (literalOf(pattern) !== undefined) return [];
  let found: ByteString[] = [""];
  for (const segment of pattern.match(/\/+|[^/]+/g) ?? []) {
    const literal = segment.startsWith("/") ? segment : literalOf(segment);
    if (literal === undefined) found = found.flatMap((prefix) => children(fs, cwd, prefix, segment));
    else found = found.map((prefix) => prefix + literal);
  }
  return found.filter((path) => attributes(fs, cwd, path, false) !== undefined).sort((a, b) => (a < b ? -1 : 1));
}

function children(fs: InodeFs, cwd: ByteString, prefix: ByteString, pattern: ByteString): ByteString[] {
  const hidden = pattern.startsWith(".") || pattern.startsWith("\\.");
  const test = compilePattern(pattern);
  const names = list(fs, cwd, prefix === "" ? "." : prefix);
  return names.filter((name) => (hidden || !name.startsWith(".")) && test.test(name)).map((name) => prefix + name);
}

/** "." and ".." are names too, for patterns that start with a dot. */
function list(fs: InodeFs, cwd: ByteString, path: ByteString): ByteString[] {
  const found = resolveFrom(fs, cwd, path);
  if (typeof found === "number" || found.ino <= 0 || fs.getattr(found.ino).type !== "dir") return [];
  const handle = fs.opendir(found.ino);
  const names: ByteString[] = [".", ".."];
  try {
    for (let cookie = 0, batch; (batch = fs.readdir(handle, cookie, BATCH)).length > 0; cookie = batch.at(-1)!.cookie) {
      names.push(...batch.map(({ name }) => name));
    }
  } finally {
    fs.close(handle);
  }
  return names;
}
