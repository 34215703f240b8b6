// Fruits and vegetables: the example every introduction to unions has, and what AUFS says beyond it.
import { describe, expect, it } from "vitest";
import type { DirFs } from "@lapstrake/base";
import { dirFsOf } from "../fs/inode-dirfs.ts";
import { UnionFs } from "../fs/union-fs.ts";
import { layer } from "../testing/layer.ts";
import { dump } from "../testing/paths.ts";
import type { BranchMode } from "./branch-view.ts";
import { unionOf, type BranchUnion } from "./branch-union.ts";

interface Market {
  readonly union: BranchUnion;
  readonly fruits: () => string[];
  readonly vegetables: () => string[];
}

function market(below: BranchMode = "ro", extra: readonly string[] = []): Market {
  const fruits = UnionFs.create([layer(["apple: red", "tomato: fruit"])]);
  const vegetables = UnionFs.create([layer(["carrots: orange", "tomato: vegetable", "roots/beet: dark", ...extra])]);
  const dir = (fs: UnionFs): DirFs => dirFsOf(fs);
  const union = unionOf([
    { dir: dir(fruits), mode: "rw" },
    { dir: dir(vegetables), mode: below },
  ]);
  return { union, fruits: () => dump(fruits), vegetables: () => dump(vegetables) };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (union: BranchUnion, path: string): string => new TextDecoder().decode(union.readFile(path));

describe("a union of fruits and vegetables", () => {
  it("shows one tomato, the first branch's", () => {
    const { union } = market();
    expect(union.readdir("")).toEqual(["apple", "carrots", "roots", "tomato"]);
    expect([text(union, "tomato"), text(union, "carrots"), union.branchOf("carrots")]).toEqual(["fruit", "orange", 1]);
  });

  it("copies up what a read-only branch owns, and leaves the branch as it was", () => {
    const { union, fruits, vegetables } = market();
    const before = vegetables();
    union.writeFile("carrots", bytes("purple"));
    union.chmod("roots/beet", 0o600);
    union.writeFile("roots/new", bytes("x"));
    expect([text(union, "carrots"), union.stat("roots/beet")!.mode]).toEqual(["purple", 0o600]);
    expect(fruits()).toEqual([
      "/apple: red",
      "/carrots: purple",
      "/roots/",
      "/roots/beet: dark",
      "/roots/new: x",
      "/tomato: fruit",
    ]);
    expect(vegetables()).toEqual(before);
  });

  it("changes in place what a writable branch owns, and makes new files where their directory is", () => {
    const { union, fruits, vegetables } = market("rw");
    union.writeFile("carrots", bytes("purple"));
    union.writeFile("roots/turnip", bytes("white"));
    union.writeFile("new", bytes("top"));
    expect(vegetables()).toEqual([
      "/carrots: purple",
      "/roots/",
      "/roots/beet: dark",
      "/roots/turnip: white",
      "/tomato: vegetable",
    ]);
    expect(fruits()).toEqual(["/apple: red", "/new: top", "/tomato: fruit"]);
  });

  it("leaves a whiteout when another copy would show", () => {
    const { union, fruits } = market();
    union.unlink("tomato");
    union.unlink("carrots");
    union.unlink("apple");
    expect(union.readdir("")).toEqual(["roots"]);
    expect(fruits()).toEqual(["/.wh.carrots: ", "/.wh.tomato: "]);
    union.writeFile("tomato", bytes("again"));
    expect([union.readdir(""), text(union, "tomato")]).toEqual([["roots", "tomato"], "again"]);
  });

  it("deletes in a writable lower branch itself", () => {
    const { union, fruits, vegetables } = market("rw");
    union.unlink("carrots");
    expect([fruits(), vegetables()]).toEqual([
      ["/apple: red", "/tomato: fruit"],
      ["/roots/", "/roots/beet: dark", "/tomato: vegetable"],
    ]);
  });

  it("removes a directory only when the union shows nothing in it; one made again is empty", () => {
    const { union } = market();
    expect(() => union.rmdir("roots")).toThrow("ENOTEMPTY");
    union.unlink("roots/beet");
    union.rmdir("roots");
    expect(union.stat("roots")).toBeUndefined();
    union.mkdir("roots");
    expect(union.readdir("roots")).toEqual([]);
  });

  it("moves files, refuses directories with EXDEV", () => {
    const { union } = market();
    union.rename("carrots", "roots/carrots");
    expect([union.readdir(""), text(union, "roots/carrots")]).toEqual([["apple", "roots", "tomato"], "orange"]);
    expect(() => union.rename("roots", "x")).toThrow("EXDEV");
  });

  it("heeds whiteouts of a read-only branch only when told", () => {
    const hidden = (mode: BranchMode): string[] => {
      const low = UnionFs.create([layer(["a: 1"])]);
      const middle = UnionFs.create([]);
      const handle = middle.create(middle.root, ".wh.a", 0o444, 2);
      middle.close(handle.handle);
      const union = unionOf([
        { dir: dirFsOf(middle), mode },
        { dir: dirFsOf(low), mode: "rr" },
      ]);
      return union.readdir("");
    };
    expect([hidden("ro+wh"), hidden("ro"), hidden("rr")]).toEqual([[], ["a"], ["a"]]);
  });

  it("says EROFS when no branch above may be written", () => {
    const fs = dirFsOf(UnionFs.create([layer(["a: 1"])]));
    const union = unionOf([{ dir: fs, mode: "ro" }]);
    for (const change of [() => union.writeFile("a", bytes("2")), () => union.unlink("a"), () => union.mkdir("d")]) {
      expect(change).toThrow("EROFS");
    }
  });
});
