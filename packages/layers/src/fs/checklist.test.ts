// The semantic checklist of a union filesystem, line by line, where no other test names it: copy-up, identity, rename, unlink, link,
// readdir, attributes, space and depth. Each in the mode it says; what is the same in both runs in both.
import { describe, expect, it } from "vitest";
import { layer } from "../testing/layer.ts";
import { at, dump, exists, list, readText, writeText } from "../testing/paths.ts";
import type { LayerMode } from "../tree/builder.ts";
import { TreeNode, childNode, type LayerTree } from "../tree/node.ts";
import { OPEN, RENAME, type InodeFs } from "./inode-fs.ts";
import { resolvePath } from "./resolve-path.ts";
import type { UnionFsOptions } from "./state.ts";
import { UnionFs } from "./union-fs.ts";

const MODES: readonly LayerMode[] = ["spec", "overlay2"];

function make(mode: LayerMode, layers: readonly LayerTree[], options: UnionFsOptions = {}): UnionFs {
  return UnionFs.create(layers, { mode, now: () => ({ sec: 9000, nsec: 1 }), ...options });
}

/** A file below with everything that copy-up must keep. */
function rich(): LayerTree {
  const tree = layer(["d/f: data", "d/link -> f"]);
  const d = childNode(tree.root, "d")!;
  const xattrs = new Map([
    ["user.a", new Uint8Array([1, 0])],
    ["security.capability", new Uint8Array([2])],
  ]);
  const node = new TreeNode({
    ...childNode(d, "f")!,
    type: "file",
    mode: 0o4750,
    uid: 7,
    gid: 8,
    mtimeSec: -3,
    mtimeNsec: 5,
    atimeSec: 4,
    atimeNsec: 6,
    xattrs,
  });
  node.content = childNode(d, "f")!.content;
  d.children!.set("f", node);
  d.children!.set("dev", new TreeNode({ type: "block", mode: 0o600, rdevMajor: 8, rdevMinor: 17 }));
  return tree;
}

describe.each(MODES)("copy-up (%s)", (mode) => {
  it("keeps mode, owner, times with nanoseconds, attributes and the bytes; parents are listed with it", () => {
    const fs = make(mode, [rich()]);
    fs.setattr(at(fs, "/d/f"), { mtimeSec: 1, mtimeNsec: 2 });
    expect(fs.getattr(at(fs, "/d/f"))).toMatchObject({
      mode: 0o4750,
      uid: 7,
      gid: 8,
      atimeSec: 4,
      atimeNsec: 6,
      mtimeSec: 1,
      size: 4,
    });
    const upper = fs.upperTree().root.children!.get("d") as TreeNode;
    expect([...(upper.children!.get("f") as TreeNode).xattrs!.keys()]).toEqual(["user.a", "security.capability"]);
    expect(fs.changes().map(({ path }) => path)).toEqual(["/d", "/d/f"]);
  });

  it("happens for chmod, chown, times, attributes, link and rename, and not for reading", () => {
    const changes: ((fs: UnionFs, ino: number) => unknown)[] = [
      (fs, ino) => fs.setattr(ino, { mode: 0o600 }),
      (fs, ino) => fs.setattr(ino, { uid: 1 }),
      (fs, ino) => fs.setattr(ino, { mtimeSec: 1 }),
      (fs, ino) => fs.setattr(ino, { size: 1 }),
      (fs, ino) => fs.setXattr(ino, "user.b", new Uint8Array(1), 0),
      (fs, ino) => fs.removeXattr(ino, "user.a"),
      (fs, ino) => fs.link(ino, fs.root, "again"),
      (fs) => fs.rename(at(fs, "/d"), "f", fs.root, "moved", 0),
    ];
    for (const change of changes) {
      const fs = make(mode, [rich()]);
      change(fs, at(fs, "/d/f"));
      expect(fs.changes()).not.toEqual([]);
    }
    const fs = make(mode, [rich()]);
    readText(fs, "/d/f");
    list(fs, "/d");
    fs.listXattrs(at(fs, "/d/f"));
    expect(fs.changes()).toEqual([]);
  });

  it("a writer takes the file capability, a new owner takes setuid too", () => {
    const fs = make(mode, [rich()]);
    const handle = fs.open(at(fs, "/d/f"), OPEN.write);
    fs.write(handle, new Uint8Array(1), 0, 1, 0);
    fs.close(handle);
    expect([fs.listXattrs(at(fs, "/d/f")), fs.getattr(at(fs, "/d/f")).mode]).toEqual([["user.a"], 0o4750]);
    fs.setattr(at(fs, "/d/f"), { uid: 9 });
    expect(fs.getattr(at(fs, "/d/f")).mode).toBe(0o750);
  });

  it("a handle opened before sees what is written after", () => {
    const fs = make(mode, [rich()]);
    const old = fs.open(at(fs, "/d/f"), OPEN.read);
    writeText(fs, "/d/f", "changed");
    const out = new Uint8Array(7);
    fs.read(old, out, 0, 7, 0);
    expect(new TextDecoder().decode(out)).toBe("changed");
  });

  it("the inode number stays", () => {
    const fs = make(mode, [rich()]);
    const ino = at(fs, "/d/f");
    writeText(fs, "/d/f", "x");
    expect(at(fs, "/d/f")).toBe(ino);
  });

  it("a device keeps its numbers through a rename", () => {
    const fs = make(mode, [rich()]);
    fs.rename(at(fs, "/d"), "dev", fs.root, "disk", 0);
    expect(fs.getattr(at(fs, "/disk"))).toMatchObject({ type: "block", rdevMajor: 8, rdevMinor: 17 });
  });
});

describe.each(MODES)("names (%s)", (mode) => {
  it("unlink: lower only leaves a whiteout, upper only leaves nothing, both leave a whiteout", () => {
    const fs = make(mode, [layer(["low: 1", "both: 1"])]);
    writeText(fs, "/up", "2");
    writeText(fs, "/both", "2");
    for (const name of ["low", "up", "both"]) fs.unlink(fs.root, name);
    expect([...fs.upperTree().root.children!]).toEqual(
      [
        ["low", null],
        ["both", null],
      ].toSorted(),
    );
  });

  it("rmdir looks at the merged directory", () => {
    const fs = make(mode, [layer(["d/low: 1"])]);
    expect(() => fs.rmdir(fs.root, "d")).toThrow("ENOTEMPTY");
    fs.unlink(at(fs, "/d"), "low");
    fs.rmdir(fs.root, "d");
    expect(exists(fs, "/d")).toBe(false);
  });

  it("mkdir over a whiteout hides what was below; a new directory with nothing below is not marked", () => {
    const fs = make(mode, [layer(["d/low: 1"])]);
    fs.unlink(at(fs, "/d"), "low");
    fs.rmdir(fs.root, "d");
    fs.mkdir(fs.root, "d", 0o755);
    fs.mkdir(fs.root, "fresh", 0o755);
    const upper = fs.upperTree().root;
    expect([childNode(upper, "d")!.opaque, childNode(upper, "fresh")!.opaque]).toEqual([true, false]);
    expect(fs.diffEntries().map(({ path }) => path)).toEqual(["", "d", "d/.wh..wh..opq", "fresh"]);
  });

  it("rename of a lower file: the file comes up, the old name is whited out", () => {
    const fs = make(mode, [layer(["a: 1", "b: 2"])]);
    fs.rename(fs.root, "a", fs.root, "b", 0);
    expect([dump(fs), fs.changes().map(({ kind, path }) => kind + path)]).toEqual([["/b: 1"], ["D/a", "C/b"]]);
  });

  it("rename over a name that is only in the upper leaves no whiteout behind", () => {
    const fs = make(mode, []);
    writeText(fs, "/a", "1");
    writeText(fs, "/b", "2");
    fs.rename(fs.root, "a", fs.root, "b", 0);
    expect([...fs.upperTree().root.children!.keys()]).toEqual(["b"]);
  });

  it("a pure upper directory moves freely", () => {
    const fs = make(mode, []);
    fs.mkdir(fs.root, "a", 0o755);
    writeText(fs, "/a/f", "1");
    fs.rename(fs.root, "a", fs.root, "b", RENAME.noReplace);
    expect(dump(fs)).toEqual(["/b/", "/b/f: 1"]);
  });

  it("link of a lower file: both names are one inode", () => {
    const fs = make(mode, [layer(["a: 1"])]);
    fs.link(at(fs, "/a"), fs.root, "b");
    expect([at(fs, "/b"), fs.getattr(at(fs, "/a")).nlink]).toEqual([at(fs, "/a"), 2]);
    expect(fs.diffEntries().map(({ path, type }) => `${type} ${path}`)).toEqual(["dir ", "file a", "hardlink b"]);
  });

  it("readdir: each name once, upper wins, sorted; its inode is stat's; cookies stay valid while names come and go", () => {
    const fs = make(mode, [layer(["d/a: 1", "d/b: 2", "d/c: 3"]), layer(["d/b: 9"])]);
    const handle = fs.opendir(at(fs, "/d"));
    const [first] = fs.readdir(handle, 0, 1);
    fs.unlink(at(fs, "/d"), "b");
    writeText(fs, "/d/0", "new");
    expect(fs.readdir(handle, first!.cookie, 9).map(({ name }) => name)).toEqual(["c"]);
    const again = fs.readdir(handle, 0, 9);
    expect(again.map(({ name }) => name)).toEqual(["0", "a", "c"]);
    expect(again.map(({ ino }) => ino)).toEqual(["0", "a", "c"].map((name) => at(fs, `/d/${name}`)));
  });

  it("no 0:0 device can be made: it would be a deletion", () => {
    const fs = make(mode, []);
    expect(() => fs.mknod(fs.root, "x", "char", 0, 0, 0)).toThrow("EPERM");
  });
});

describe("hard links below", () => {
  it("spec: all names stay one file; overlay2: the written one parts, the other keeps a stale count", () => {
    const lower = [layer(["a: 1", "b => a"])];
    const [spec, kernel] = [make("spec", lower), make("overlay2", lower)];
    for (const fs of [spec, kernel]) writeText(fs, "/a", "2");
    expect([readText(spec, "/b"), readText(kernel, "/b")]).toEqual(["2", "1"]);
    expect([nlink(spec, "/a"), nlink(spec, "/b"), nlink(kernel, "/a"), nlink(kernel, "/b")]).toEqual([2, 2, 1, 2]);
  });
});

describe("attributes, space and depth", () => {
  it("programs may set the overlay's own attribute names; they are data", () => {
    const fs = make("spec", [layer(["a: 1"])]);
    fs.setXattr(at(fs, "/a"), "trusted.overlay.opaque", new Uint8Array([0x79]), 0);
    expect(fs.getXattr(at(fs, "/a"), "trusted.overlay.opaque")).toEqual(new Uint8Array([0x79]));
  });

  it("xattr flags: CREATE and REPLACE", () => {
    const fs = make("spec", [layer(["a: 1"])]);
    expect(() => fs.setXattr(at(fs, "/a"), "user.a", new Uint8Array(1), 2)).toThrow("ENODATA");
    fs.setXattr(at(fs, "/a"), "user.a", new Uint8Array(1), 1);
    expect(() => fs.setXattr(at(fs, "/a"), "user.a", new Uint8Array(1), 1)).toThrow("EEXIST");
  });

  it("ENOSPC in the middle of a copy-up leaves the lower file", () => {
    const fs = make("spec", [layer([`a: ${"x".repeat(5000)}`])], { maxBytes: 1000 });
    const handle = fs.open(at(fs, "/a"), OPEN.write);
    expect(() => fs.write(handle, new Uint8Array(1), 0, 1, 0)).toThrow("ENOSPC");
    expect(readText(fs, "/a")).toBe("x".repeat(5000));
    expect(fs.statfs().freeBytes).toBe(1000);
  });

  it("reading sets no time", () => {
    const fs = make("spec", [layer(["a: 1"])]);
    const before = fs.getattr(at(fs, "/a"));
    readText(fs, "/a");
    expect(fs.getattr(at(fs, "/a"))).toEqual(before);
  });

  it("a read-only filesystem refuses every change with EROFS", () => {
    const fs: InodeFs = make("spec", [layer(["a: 1", "d/"])], { readOnly: true });
    const ino = at(fs, "/a");
    const changes: (() => unknown)[] = [
      () => fs.setattr(ino, { mode: 0 }),
      () => fs.open(ino, OPEN.write),
      () => fs.open(ino, OPEN.read | OPEN.truncate),
      () => fs.create(fs.root, "x", 0o644, OPEN.write),
      () => fs.mkdir(fs.root, "x", 0o755),
      () => fs.symlink(fs.root, "x", "a"),
      () => fs.link(ino, fs.root, "x"),
      () => fs.mknod(fs.root, "x", "fifo", 0o600, 0, 0),
      () => fs.unlink(fs.root, "a"),
      () => fs.rmdir(fs.root, "d"),
      () => fs.rename(fs.root, "a", fs.root, "x", 0),
      () => fs.setXattr(ino, "user.a", new Uint8Array(1), 0),
      () => fs.removeXattr(ino, "user.a"),
    ];
    for (const change of changes) expect(change).toThrow("EROFS");
  });

  it("a setgid directory hands on its group, and the bit to directories", () => {
    const fs = make("spec", []);
    const dir = fs.mkdir(fs.root, "d", 0o755);
    fs.setattr(dir, { mode: 0o2755, gid: 77 });
    fs.mkdir(dir, "sub", 0o700);
    writeText(fs, "/d/f", "1");
    expect(fs.getattr(at(fs, "/d/sub"))).toMatchObject({ gid: 77, mode: 0o2700 });
    expect(fs.getattr(at(fs, "/d/f"))).toMatchObject({ gid: 77, mode: 0o644 });
  });

  it("paths: 40 links and no more, the root cannot be left, WASI's rule beneath a directory", () => {
    const chain = Array.from({ length: 41 }, (_, i) => `l${i} -> ${i === 40 ? "end" : `l${i + 1}`}`);
    const fs = make("spec", [layer(["end: 1", "d/up -> ../..", "d/abs -> /end", ...chain])]);
    expect(readText(fs, "/l1")).toBe("1");
    expect(resolvePath(fs, fs.root, "l0")).toBe(-40);
    expect(at(fs, "/../../d/../end")).toBe(at(fs, "/end"));
    expect(readText(fs, "/d/up/end")).toBe("1");
    const beneath = (path: string): unknown => resolvePath(fs, at(fs, "/d"), path, { beneath: true });
    expect([beneath("up/end"), beneath("abs"), beneath("/end"), beneath("../end")]).toEqual([-1, -1, -1, -1]);
    expect([resolvePath(fs, fs.root, "end/"), resolvePath(fs, fs.root, "end/x"), resolvePath(fs, fs.root, "")]).toEqual(
      [-20, -20, -2],
    );
  });

  it("tells watchers what changed, until they stop", () => {
    const fs = make("spec", [layer(["a: 1"])]);
    const seen: string[] = [];
    const stop = fs.watch(({ kind, name }) => seen.push(`${kind} ${name}`));
    fs.mkdir(fs.root, "d", 0o755);
    fs.rename(fs.root, "a", fs.root, "b", 0);
    fs.unlink(fs.root, "b");
    stop();
    fs.rmdir(fs.root, "d");
    expect(seen).toEqual(["create d", "rename b", "delete b"]);
  });
});

function nlink(fs: UnionFs, path: string): number {
  return fs.getattr(at(fs, path)).nlink;
}
