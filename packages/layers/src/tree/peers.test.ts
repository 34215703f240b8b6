// The legal layers that four reference engines read differently (one row each), in `spec` mode, and Docker's reading in `overlay2` mode.
import { describe, expect, it } from "vitest";
import { UnionFs } from "../fs/union-fs.ts";
import { layer } from "../testing/layer.ts";
import { at, dump, readText, writeText } from "../testing/paths.ts";
import type { LayerMode } from "./builder.ts";
import { TreeNode, childNode } from "./node.ts";
import { mergeLayers } from "./merge.ts";

function shown(lower: string[], upper: string[], mode: LayerMode = "spec"): string[] {
  return dump(UnionFs.create([layer(lower, mode), layer(upper, mode)], { mode }));
}

describe("layers that the engines read differently", () => {
  it(".wh.d, then d/ again: what was below stays hidden", () => {
    const rows = [["d/x: 1"], [".wh.d", "d/", "d/y: 2"]] as const;
    expect(shown([...rows[0]], [...rows[1]])).toEqual(["/d/", "/d/y: 2"]);
    expect(shown([...rows[0]], [...rows[1]].toReversed())).toEqual(["/d/", "/d/y: 2"]);
    expect(shown([...rows[0]], [...rows[1]], "overlay2")).toEqual(["/d/", "/d/x: 1", "/d/y: 2"]);
  });

  it("add a, then .wh.a in the same layer: a stays", () => {
    expect(shown(["a: old"], ["a: new", ".wh.a"])).toEqual(["/a: new"]);
    expect(shown(["a: old"], [".wh.a", "a: new"])).toEqual(["/a: new"]);
    expect(() => shown(["a: old"], ["a: new", ".wh.a"], "overlay2")).toThrow("adds and deletes");
  });

  it("an opaque root hides everything below", () => {
    expect(shown(["a: 1", "d/x: 2"], [".wh..wh..opq", "b: 3"])).toEqual(["/b: 3"]);
    expect(shown(["a: 1"], [".wh..wh..opq", "b: 3"], "overlay2")).toEqual(["/a: 1", "/b: 3"]);
  });

  it("an unlisted directory keeps the metadata below", () => {
    const private_ = new TreeNode({ type: "dir", mode: 0o700, uid: 5 });
    const lower = layer(["d/f: 1"]);
    lower.root.children!.set("d", new TreeNode(private_, childNode(lower.root, "d")!.children));
    const upper = layer(["d/g: 2"]);
    expect(childNode(mergeLayers([lower, upper]).root, "d")).toMatchObject({ mode: 0o700, uid: 5 });
    expect(childNode(mergeLayers([lower, upper], "overlay2").root, "d")).toMatchObject({ mode: 0o755, uid: 0 });
  });

  it("p/q where the lower p is a link: it lands behind the link, inside the root", () => {
    expect(shown(["real/", "p -> real"], ["p/q: 1"])).toEqual(["/p -> real", "/real/", "/real/q: 1"]);
    expect(shown(["real/", "p -> /real"], ["p/q: 1"])).toEqual(["/p -> /real", "/real/", "/real/q: 1"]);
    expect(shown(["real/", "p -> real"], ["p/q: 1"], "overlay2")).toEqual(["/p/", "/p/q: 1", "/real/"]);
  });

  it("a 0:0 device in the tar is a device", () => {
    const upper = layer([]);
    upper.root.children!.set("a", new TreeNode({ type: "char", mode: 0 }));
    upper.root.closed = false;
    expect(dump(UnionFs.create([layer(["a: 1"]), upper]))).toEqual(["/a (char)"]);
    expect(dump(UnionFs.create([layer(["a: 1"]), upper], { mode: "overlay2" }))).toEqual([]);
  });

  it("a hard link to a file of a lower layer", () => {
    const fs = UnionFs.create([layer(["a: 1"]), layer(["b => a"])]);
    expect(dump(fs)).toEqual(["/a: 1", "/b: 1"]);
    expect(at(fs, "/a")).toBe(at(fs, "/b"));
    expect(() => shown(["a: 1"], ["b => a"], "overlay2")).toThrow("not in the layer");
    expect(() => shown([], ["b => a"])).toThrow("does not exist");
  });

  it("a hard link before its target", () => {
    expect(shown([], ["b => a", "c => b", "a: 1"])).toEqual(["/a: 1", "/b: 1", "/c: 1"]);
    expect(shown([], ["d/b => d/a", "d/a: 1"])).toEqual(["/d/", "/d/a: 1", "/d/b: 1"]);
  });

  it("duplicates: the last wins, whatever it is", () => {
    expect(shown([], ["a: 1", "a: 2"])).toEqual(["/a: 2"]);
    expect(shown(["a/x: 0"], ["a: 1", "a/", "a/y: 2"])).toEqual(["/a/", "/a/y: 2"]);
    expect(shown([], ["a/x: 1", "a: 2"])).toEqual(["/a: 2"]);
    expect(() => shown([], ["a: 1", "a: 2"], "overlay2")).toThrow("twice");
  });

  it.each([".wh.", "d/.wh..", ".wh...", "d/.wh.x/y"])("refuses %s as a whiteout of nothing", (name) => {
    expect(() => layer([name])).toThrow("invalid whiteout name");
  });

  it("drops what AUFS left behind", () => {
    expect(shown([], [".wh..wh.aufs", ".wh..wh.plnk/123: x", ".wh..wh.orph/", "a: 1"])).toEqual(["/a: 1"]);
  });

  it("names that climb or start at the root stay inside; links are data", () => {
    expect(shown([], ["../../a: 1", "/b: 2", "./c: 3", "d/../e: 4"])).toEqual(["/a: 1", "/b: 2", "/c: 3", "/e: 4"]);
    expect(shown([], ["evil -> /etc", "evil/owned: 1"])).toEqual(["/etc/", "/etc/owned: 1", "/evil -> /etc"]);
    expect(shown(["evil -> ../../../etc"], ["evil/owned: 1"])).toEqual([
      "/etc/",
      "/etc/owned: 1",
      "/evil -> ../../../etc",
    ]);
    expect(() => shown([], ["a -> b", "b -> a", "a/c: 1"])).toThrow("too many levels");
  });

  it("modifying one name of a hard-linked pair: both are the file, nothing is stale", () => {
    const fs = UnionFs.create([layer(["a: 1", "b => a"]), layer(["a: 2"])]);
    expect(fs.getattr(at(fs, "/b")).nlink).toBe(1);
    const stale = UnionFs.create([layer(["a: 1", "b => a"])], { mode: "overlay2" });
    writeText(stale, "/a", "2");
    expect([readText(stale, "/b"), stale.getattr(at(stale, "/b")).nlink]).toEqual(["1", 2]);
  });

  it("127 layers, and 500", () => {
    const layers = Array.from({ length: 500 }, (_, i) => layer([`f${i}: ${i}`, "same: " + String(i)]));
    const fs = UnionFs.create(layers);
    expect([readText(fs, "/f0"), readText(fs, "/same")]).toEqual(["0", "499"]);
  });
});

describe("lookup rules of overlayfs", () => {
  it("a file in a lower under a non-directory in the middle is invisible", () => {
    const fs = UnionFs.create([layer(["d/low: 1"]), layer(["d: file"]), layer([".wh.x", "d/", "d/top: 2"])]);
    expect(dump(fs)).toEqual(["/d/", "/d/top: 2"]);
  });

  it("a whiteout hides exactly one name", () => {
    expect(shown(["a: 1", "ab: 2", "d/a: 3"], [".wh.a"])).toEqual(["/ab: 2", "/d/", "/d/a: 3"]);
  });

  it("opaque hides below even when it comes after its siblings, and not its own layer", () => {
    expect(shown(["d/low: 1"], ["d/new: 2", "d/.wh..wh..opq"])).toEqual(["/d/", "/d/new: 2"]);
  });

  it("a whiteout of the middle layer does not hide what a layer above adds", () => {
    expect(dump(UnionFs.create([layer(["a: 1"]), layer([".wh.a"]), layer(["a: 3"])]))).toEqual(["/a: 3"]);
  });

  it("__proto__ and constructor are names like others", () => {
    expect(shown(["__proto__/x: 1", "constructor: 2"], ["__proto__/.wh.x"])).toEqual([
      "/__proto__/",
      "/constructor: 2",
    ]);
  });
});
