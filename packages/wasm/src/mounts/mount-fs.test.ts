import { OPEN, UnionFs, resolvePath } from "@lapstrake/layers";
import { describe, expect, it } from "vitest";
import type { DirFs } from "@lapstrake/base";
import { DirInodes } from "./dir-inodes.ts";
import { MountFs } from "./mount-fs.ts";

function tree(...paths: string[]): UnionFs {
  const fs = UnionFs.create([]);
  for (const path of paths) {
    const parts = path.split("/");
    const name = parts.pop()!;
    let dir = fs.root;
    for (const part of parts) dir = fs.lookup(dir, part) > 0 ? fs.lookup(dir, part) : fs.mkdir(dir, part, 0o755);
    fs.close(fs.create(dir, name, 0o644, OPEN.write).handle);
  }
  return fs;
}

/** A filesystem whose root is a file. */
class OneFile extends DirInodes {
  constructor() {
    const stat = { type: "file", mode: 0o644, size: 7, nlink: 1, uid: 0, gid: 0, ino: 1, dev: 1, blocks: 1 };
    const time = { sec: 0, nsec: 0 };
    const all = { ...stat, rdevMajor: 0, rdevMinor: 0, atime: time, mtime: time, ctime: time };
    const file = {
      stat: () => all,
      read: (into: Uint8Array) => (into.set(new TextEncoder().encode("mounted")), 7),
    };
    super({ stat: (path: string) => (path === "file" ? all : undefined), open: () => file } as unknown as DirFs, {
      only: "file",
    });
  }
}

function names(fs: MountFs, path: string): string[] {
  const found = resolvePath(fs, fs.root, path);
  if (typeof found === "number") throw new Error(path);
  const handle = fs.opendir(found.ino);
  const list = fs.readdir(handle, 0, 100).map(({ name }) => name);
  fs.close(handle);
  return list;
}

function ino(fs: MountFs, path: string): number {
  const found = resolvePath(fs, fs.root, path);
  return typeof found === "number" ? found : found.ino;
}

describe("MountFs", () => {
  const mounted = (): MountFs =>
    new MountFs(tree("data/hidden", "etc/passwd"), [
      { path: "/data", fs: tree("sub/file", "top") },
      { path: "/data/sub", fs: tree("inner") },
    ]);

  it("shows what is mounted, and mounts on mounts", () => {
    const fs = mounted();
    expect(names(fs, "/data")).toEqual(["sub", "top"]);
    expect(names(fs, "/data/sub")).toEqual(["inner"]);
  });

  it("leads out of a mount by dot-dot", () => {
    const fs = mounted();
    expect(ino(fs, "/data/sub/../../etc/passwd")).toBe(ino(fs, "/etc/passwd"));
    expect(ino(fs, "/data/..")).toBe(fs.root);
  });

  it("gives every file a number of its own", () => {
    const fs = mounted();
    const all = ["/", "/data", "/data/sub", "/data/top", "/data/sub/inner", "/etc/passwd"].map((path) => ino(fs, path));
    expect(new Set(all).size).toBe(all.length);
    expect(fs.getattr(ino(fs, "/data/top")).ino).toBe(ino(fs, "/data/top"));
  });

  it("keeps changes in the filesystem they were made in", () => {
    const [root, volume] = [tree("data/x"), tree("y")];
    const fs = new MountFs(root, [{ path: "/data", fs: volume }]);
    const before = root.changes();
    fs.mkdir(ino(fs, "/data"), "new", 0o755);
    expect(root.changes()).toEqual(before);
    expect(volume.lookup(volume.root, "new")).toBeGreaterThan(0);
  });

  it("refuses renames and links across, and the removal of a mount point", () => {
    const fs = mounted();
    expect(() => fs.rename(ino(fs, "/data"), "top", fs.root, "top", 0)).toThrow("EXDEV");
    expect(() => fs.link(ino(fs, "/data/top"), fs.root, "top")).toThrow("EXDEV");
    expect(() => fs.rmdir(fs.root, "data")).toThrow("EBUSY");
    expect(() => fs.rename(fs.root, "data", fs.root, "moved", 0)).toThrow("EBUSY");
  });

  it("mounts a file on a file, which nobody can remove or replace", () => {
    const fs = new MountFs(tree("etc/conf", "etc/other"), [{ path: "/etc/conf", fs: new OneFile() }]);
    const handle = fs.open(ino(fs, "/etc/conf"), OPEN.read);
    const bytes = new Uint8Array(8);
    expect(String.fromCharCode(...bytes.subarray(0, fs.read(handle, bytes, 0, 8, 0)))).toBe("mounted");
    expect(() => fs.unlink(ino(fs, "/etc"), "conf")).toThrow("EBUSY");
    expect(() => fs.rename(ino(fs, "/etc"), "other", ino(fs, "/etc"), "conf", 0)).toThrow("EBUSY");
    expect(() => new MountFs(tree("etc/conf"), [{ path: "/etc", fs: new OneFile() }])).toThrow(/no file to mount on/);
  });

  it("needs a directory to mount on", () => {
    expect(() => new MountFs(tree("f"), [{ path: "/f", fs: tree() }])).toThrow(/no directory to mount on/);
    expect(() => new MountFs(tree(), [{ path: "/none", fs: tree() }])).toThrow(/no directory to mount on/);
  });
});
