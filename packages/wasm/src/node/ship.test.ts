import { OPEN, UnionFs, contentBytes, treeEntries, type LayerTree } from "@lapstrake/layers";
import { describe, expect, it } from "vitest";
import { shipTree, unshipLayer, unshipMerged } from "./ship.ts";

function write(fs: UnionFs, dir: number, name: string, text: string): number {
  const { ino, handle } = fs.create(dir, name, 0o640, OPEN.write);
  fs.write(handle, new TextEncoder().encode(text), 0, text.length, 0);
  fs.close(handle);
  return ino;
}

/** Everything a layer says, comparable. */
function listing(tree: LayerTree): object[] {
  return treeEntries(tree).map(({ content, ...rest }) => ({
    ...rest,
    text: content === undefined ? "" : new TextDecoder().decode(contentBytes(content).slice()),
  }));
}

/** A lower layer, and an upper with a hard link, a link, an attribute, a deletion and a replaced directory. */
function changed(): UnionFs {
  const lower = UnionFs.create([]);
  write(lower, lower.mkdir(lower.root, "dir", 0o750), "old", "old");
  write(lower, lower.root, "gone", "gone");
  const fs = UnionFs.create([lower.freeze()]);
  const file = write(fs, fs.root, "file", "content");
  fs.link(file, fs.root, "hard");
  fs.symlink(fs.root, "link", "file");
  fs.setXattr(file, "user.note", new Uint8Array([1, 2]), 0);
  fs.unlink(fs.root, "gone");
  fs.unlink(fs.lookup(fs.root, "dir"), "old");
  fs.rmdir(fs.root, "dir");
  fs.mkdir(fs.root, "dir", 0o700);
  return fs;
}

describe("shipping trees between threads", () => {
  it("brings a layer over with everything it says", () => {
    const upper = changed().upperTree();
    const arrived = unshipLayer(structuredClone(shipTree(upper)));
    expect(listing(arrived)).toEqual(listing(upper));
    expect(listing(arrived).some((entry) => "type" in entry && entry.type === "hardlink")).toBe(true);
  });

  it("brings merged layers over: the same union grows on them", () => {
    const fs = changed();
    fs.freeze();
    const copy = UnionFs.over(unshipMerged(structuredClone(shipTree(fs.base))));
    expect(copy.getattr(copy.lookup(copy.root, "hard")).nlink).toBe(2);
    expect(copy.lookup(copy.root, "hard")).toBe(copy.lookup(copy.root, "file"));
    expect(copy.lookup(copy.root, "gone")).toBeLessThan(0);
    write(copy, copy.root, "new", "x");
    expect(copy.changes()).toEqual([{ kind: "A", path: "/new" }]);
  });
});
