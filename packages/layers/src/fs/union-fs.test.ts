// The union filesystem: lookup through layers, copy-up, whiteouts, hard links, rename, fork and freeze.
import { describe, expect, it } from "vitest";
import { layer } from "../testing/layer.ts";
import { at, dump, exists, list, readText, split, writeText } from "../testing/paths.ts";
import { OPEN, RENAME } from "./inode-fs.ts";
import { UnionFs } from "./union-fs.ts";

const lower = layer([
  "etc/",
  "etc/passwd: root",
  "etc/group: wheel",
  "bin -> usr/bin",
  "usr/bin/sh: #!",
  "a: one",
  "b => a",
]);
const upper = layer(["etc/.wh.group", "etc/shadow: x", "opt/new: 1"]);

function make(mode: "spec" | "overlay2" = "spec"): UnionFs {
  return UnionFs.create([lower, upper], { mode, now: () => ({ sec: 5000, nsec: 7 }) });
}

function changes(fs: UnionFs): string[] {
  return fs.changes().map(({ kind, path }) => `${kind} ${path}`);
}

describe("UnionFs", () => {
  it("shows the layers as one tree", () => {
    expect(dump(make())).toEqual([
      "/a: one",
      "/b: one",
      "/bin -> usr/bin",
      "/etc/",
      "/etc/passwd: root",
      "/etc/shadow: x",
      "/opt/",
      "/opt/new: 1",
      "/usr/",
      "/usr/bin/",
      "/usr/bin/sh: #!",
    ]);
  });

  it("changes nothing below and lists what changed", () => {
    const fs = make();
    writeText(fs, "/etc/passwd", "changed");
    fs.unlink(...split(fs, "/usr/bin/sh"));
    fs.mkdir(fs.root, "dir", 0o755);
    expect(readText(fs, "/etc/passwd")).toBe("changed");
    expect(changes(fs)).toEqual(
      ["C /etc", "C /etc/passwd", "A /dir", "C /usr", "C /usr/bin", "D /usr/bin/sh"].toSorted(byPath),
    );
    expect(readText(make(), "/etc/passwd")).toBe("root");
  });

  it("keeps hard links of a lower file together in spec mode, in the tree and in the layer", () => {
    const fs = make();
    writeText(fs, "/a", "two");
    expect(readText(fs, "/b")).toBe("two");
    expect(fs.getattr(at(fs, "/b")).nlink).toBe(2);
    expect(fs.diffEntries().map(({ path, type }) => `${type} ${path}`)).toEqual(["file a", "hardlink b"]);
  });

  it("breaks them in overlay2 mode, as the kernel does", () => {
    const fs = make("overlay2");
    writeText(fs, "/a", "two");
    expect(readText(fs, "/b")).toBe("one");
    expect(fs.getattr(at(fs, "/a")).nlink).toBe(1);
    expect(fs.getattr(at(fs, "/b")).nlink).toBe(2);
  });

  it("moves lower directories in spec mode and refuses with EXDEV in overlay2 mode", () => {
    const fs = make();
    fs.rename(fs.root, "etc", fs.root, "etc2", 0);
    expect(list(fs, "/etc2")).toEqual(["passwd", "shadow"]);
    expect(exists(fs, "/etc")).toBe(false);
    const again = UnionFs.create([lower, upper, fs.upperTree()]);
    expect(dump(again)).toEqual(dump(fs));
    const kernel = make("overlay2");
    expect(() => kernel.rename(kernel.root, "etc", kernel.root, "etc2", 0)).toThrow("EXDEV");
  });

  it("exchanges two names", () => {
    const fs = make();
    fs.rename(fs.root, "a", fs.root, "etc", RENAME.exchange);
    expect(readText(fs, "/etc")).toBe("one");
    expect(list(fs, "/a")).toEqual(["passwd", "shadow"]);
    expect(dump(UnionFs.create([lower, upper, fs.upperTree()]))).toEqual(dump(fs));
  });

  it("hides a lower directory behind a new one of the same name", () => {
    const fs = make();
    for (const name of list(fs, "/etc")) fs.unlink(at(fs, "/etc"), name);
    fs.rmdir(fs.root, "etc");
    fs.mkdir(fs.root, "etc", 0o700);
    expect(list(fs, "/etc")).toEqual([]);
    expect(fs.upperTree().root.children!.get("etc")).toMatchObject({ opaque: true });
    expect(changes(fs)).toEqual(["C /etc", "D /etc/passwd", "D /etc/shadow"]);
  });

  it("forks: both sides go on alone, the fork keeps the changes", () => {
    const fs = make();
    writeText(fs, "/etc/passwd", "before");
    const fork = fs.fork();
    writeText(fs, "/etc/passwd", "left");
    writeText(fork, "/etc/passwd", "right");
    expect([readText(fs, "/etc/passwd"), readText(fork, "/etc/passwd")]).toEqual(["left", "right"]);
    expect(changes(fork)).toEqual(["C /etc", "C /etc/passwd"]);
  });

  it("freezes the upper into a layer and keeps inode numbers and handles", () => {
    const fs = make();
    writeText(fs, "/etc/passwd", "frozen");
    const ino = at(fs, "/etc/passwd");
    const handle = fs.open(ino, OPEN.read);
    const tree = fs.freeze();
    expect(changes(fs)).toEqual([]);
    expect(at(fs, "/etc/passwd")).toBe(ino);
    const bytes = new Uint8Array(10);
    expect(fs.read(handle, bytes, 0, 10, 0)).toBe(6);
    expect(dump(UnionFs.create([lower, upper, tree]))).toEqual(dump(fs));
  });

  it("keeps an unlinked file readable while it is open", () => {
    const fs = make();
    const handle = fs.open(at(fs, "/a"), OPEN.read);
    fs.unlink(fs.root, "a");
    fs.unlink(fs.root, "b");
    expect(fs.read(handle, new Uint8Array(9), 0, 9, 0)).toBe(3);
    fs.close(handle);
  });

  it("stops at the quota with ENOSPC and gives space back", () => {
    const fs = UnionFs.create([], { maxBytes: 1024 });
    const { handle } = fs.create(fs.root, "f", 0o644, OPEN.write);
    expect(fs.write(handle, new Uint8Array(1024), 0, 1024, 0)).toBe(1024);
    expect(() => fs.write(handle, new Uint8Array(4096), 0, 4096, 70_000)).toThrow("ENOSPC");
    fs.close(handle);
    fs.unlink(fs.root, "f");
    expect(fs.statfs().freeBytes).toBe(1024);
  });
});

function byPath(a: string, b: string): number {
  return a.slice(2) < b.slice(2) ? -1 : 1;
}
