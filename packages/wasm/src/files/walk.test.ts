import { UnionFs, resolvePath } from "@lapstrake/layers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { walk, type Reach } from "./walk.ts";

/** a/b/file, c -> a, a/up -> .., a/abs -> /a, loop -> loop, dead -> gone/x, a/b/out -> ../../c/b */
function world(): UnionFs {
  const fs = UnionFs.create([]);
  const a = fs.mkdir(fs.root, "a", 0o755);
  const b = fs.mkdir(a, "b", 0o755);
  fs.close(fs.create(b, "file", 0o644, 2).handle);
  const links: [number, string, string][] = [
    [fs.root, "c", "a"],
    [a, "up", ".."],
    [a, "abs", "/a"],
    [fs.root, "loop", "loop"],
    [fs.root, "dead", "gone/x"],
    [b, "out", "../../c/b"],
  ];
  for (const [dir, name, target] of links) fs.symlink(dir, name, target);
  return fs;
}

type Answer = { readonly ino: number; readonly dir: number } | string;

function answer(fs: UnionFs, start: number, path: string, follow: boolean, reach: Reach): Answer {
  try {
    const { dir, ino, name, mustBeDir } = walk(fs, { ino: start, reach }, path, follow);
    if (mustBeDir && ino !== undefined && fs.getattr(ino).type !== "dir") return "ENOTDIR";
    return { ino: ino ?? 0, dir: name === "" ? (ino ?? 0) : dir };
  } catch (error) {
    return (error as Error).message;
  }
}

const ERRNO: Readonly<Record<number, string>> = { [-2]: "ENOENT", [-20]: "ENOTDIR", [-40]: "ELOOP", [-1]: "EPERM" };

function reference(fs: UnionFs, start: number, path: string, followLast: boolean): Answer {
  const found = resolvePath(fs, start, path, { followLast });
  return typeof found === "number" ? (ERRNO[found] ?? String(found)) : { ino: found.ino, dir: found.dir };
}

const segment = fc.constantFrom("a", "b", "c", "up", "abs", "out", "loop", "dead", "file", "none", ".", "..", "");
const paths = fc.array(segment, { minLength: 1, maxLength: 7 }).map((parts) => parts.join("/"));

describe("walk", () => {
  it("leads where the filesystem's own resolver leads, with the whole filesystem in reach", () => {
    const fs = world();
    const b = fs.lookup(fs.lookup(fs.root, "a"), "b");
    const starts = fc.constantFrom(fs.root, b);
    fc.assert(
      fc.property(starts, paths, fc.boolean(), (start, path, follow) => {
        fc.pre(path !== "" && !path.startsWith("/") && !/\/\.$|^\.$/.test(path));
        expect(answer(fs, start, path, follow, "filesystem")).toEqual(reference(fs, start, path, follow));
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("never leads out of a directory that is all it may reach", () => {
    const fs = world();
    const a = fs.lookup(fs.root, "a");
    const inside = new Set([a, fs.lookup(a, "b"), fs.lookup(a, "up"), fs.lookup(a, "abs")]);
    for (const name of ["file", "out"]) inside.add(fs.lookup(fs.lookup(a, "b"), name));
    fc.assert(
      fc.property(paths, fc.boolean(), (path, follow) => {
        const got = answer(fs, a, path, follow, "beneath");
        if (typeof got !== "string" && got.ino !== 0) expect(inside.has(got.ino)).toBe(true);
      }),
      { numRuns: 2000, seed: 2 },
    );
  });

  it.each([
    ["", "ENOENT"],
    ["/a", "EPERM"],
    ["loop", "ELOOP"],
    ["a/b/file/", "ENOTDIR"],
    ["a/b/file/x", "ENOTDIR"],
    ["none/x", "ENOENT"],
  ])("%j is %s", (path, message) => {
    const fs = world();
    expect(answer(fs, fs.root, path, true, "filesystem")).toBe(message);
  });

  it("gives up after 40 links", () => {
    const fs = UnionFs.create([]);
    for (let i = 0; i < 41; i++) fs.symlink(fs.root, `l${i}`, i === 0 ? "." : `l${i - 1}`);
    expect(answer(fs, fs.root, "l39", true, "filesystem")).toEqual({ ino: fs.root, dir: fs.root });
    expect(answer(fs, fs.root, "l40", true, "filesystem")).toBe("ELOOP");
  });
});
