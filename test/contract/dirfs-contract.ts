// What every DirFs must do, as a function of a factory; it asks an implementation's own features before it expects more.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ByteString, DirFs } from "@lapstrake/base";

/** Makes an empty directory; `dispose` removes it. */
export interface DirFsFactory {
  make(): { fs: DirFs; dispose(): void };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function put(fs: DirFs, path: ByteString, text: string): void {
  using file = fs.open(path, { create: true, exclusive: true, write: true });
  file.write(bytes(text), 0, text.length);
}

function get(fs: DirFs, path: ByteString): string {
  using file = fs.open(path, { read: true });
  const buffer = new Uint8Array(100);
  return new TextDecoder().decode(buffer.subarray(0, file.read(buffer, 0, 100, 0)));
}

function failure(body: () => unknown): string | undefined {
  try {
    body();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** Declares the contract's tests for one implementation. */
export function dirFsContract(name: string, factory: DirFsFactory): void {
  describe(`DirFs contract: ${name}`, () => {
    let fs: DirFs;
    let dispose: () => void;
    beforeEach(() => {
      ({ fs, dispose } = factory.make());
    });
    afterEach(() => {
      fs.close();
      dispose();
    });

    test("directories are made, listed, opened and removed", () => {
      fs.mkdir("a");
      fs.mkdir("a/b", 0o700);
      expect(fs.readdir("").map((entry) => entry.name)).toEqual(["a"]);
      expect(fs.stat("a/b")).toMatchObject({ type: "dir", mode: 0o700 });
      using inner = fs.openDir("a");
      expect(inner.readdir("")).toMatchObject([{ name: "b", type: "dir" }]);
      expect(failure(() => fs.rmdir("a"))).toBe("ENOTEMPTY");
      inner.rmdir("b");
      fs.rmdir("a");
      expect(fs.stat("a")).toBeUndefined();
    });

    test("files are written and read at positions, cut and extended", () => {
      put(fs, "f", "hello world");
      expect(get(fs, "f")).toBe("hello world");
      using file = fs.open("f", { read: true, write: true });
      file.write(bytes("J"), 0, 1, 0);
      file.truncate(5);
      expect(file.stat()).toMatchObject({ type: "file", size: 5 });
      expect(get(fs, "f")).toBe("Jello");
    });

    test("missing, existing and wrong kinds are errors with Node's codes", () => {
      put(fs, "f", "x");
      expect(fs.stat("nope")).toBeUndefined();
      expect(fs.stat("nope/deeper")).toBeUndefined();
      expect(failure(() => fs.open("nope", { read: true }))).toBe("ENOENT");
      expect(failure(() => put(fs, "f", "y"))).toBe("EEXIST");
      expect(failure(() => fs.mkdir("f"))).toBe("EEXIST");
      expect(failure(() => fs.mkdir("f/x"))).toBe("ENOTDIR");
      expect(failure(() => fs.readdir("f"))).toBe("ENOTDIR");
      expect(failure(() => fs.unlink("nope"))).toBe("ENOENT");
    });

    test("links are data: never followed, neither on the way nor at the end", () => {
      fs.mkdir("real");
      put(fs, "real/f", "inside");
      fs.symlink("real", "way");
      fs.symlink("real/f", "end");
      fs.symlink("/etc/passwd", "out");
      expect(fs.readlink("way")).toBe("real");
      expect(fs.stat("end")).toMatchObject({ type: "symlink" });
      for (const path of ["way/f", "end", "out"]) {
        expect(["ELOOP", "ENOTDIR"], path).toContain(failure(() => fs.open(path, { read: true })));
      }
      expect(["ELOOP", "ENOTDIR"]).toContain(failure(() => fs.mkdir("way/new")));
      expect(failure(() => fs.open("out", { write: true, create: true, truncate: true }))).toBe("ELOOP");
      fs.unlink("way");
      expect(get(fs, "real/f")).toBe("inside");
    });

    test("hard links share the file", () => {
      put(fs, "f", "one");
      fs.link("f", "g");
      expect(fs.stat("g")).toMatchObject({ nlink: 2, ino: fs.stat("f")!.ino });
      fs.unlink("f");
      expect(get(fs, "g")).toBe("one");
    });

    test("rename replaces, refuses to replace when told, and moves between directories", () => {
      put(fs, "f", "one");
      put(fs, "g", "two");
      expect(failure(() => fs.rename("f", "g", { noReplace: true }))).toBe("EEXIST");
      fs.rename("f", "g");
      expect(get(fs, "g")).toBe("one");
      fs.mkdir("d");
      using inner = fs.openDir("d");
      fs.rename("g", "h", { toDir: inner });
      expect(get(fs, "d/h")).toBe("one");
      fs.rename("d", "e");
      expect(get(fs, "e/h")).toBe("one");
    });

    test("modes and times", () => {
      put(fs, "f", "x");
      fs.chmod("f", 0o4751);
      fs.utimes("f", { sec: 5, nsec: 0 }, { sec: 1_000_000_000, nsec: fs.features.nanoseconds ? 123_456_789 : 0 });
      const stat = fs.stat("f")!;
      expect(stat.mode).toBe(0o4751);
      expect(stat.mtime).toEqual({ sec: 1_000_000_000, nsec: fs.features.nanoseconds ? 123_456_789 : 0 });
    });

    test("owners, devices and extended attributes where they exist", () => {
      put(fs, "f", "x");
      if (fs.features.chown) {
        fs.chown("f", 12, 34);
        expect(fs.stat("f")).toMatchObject({ uid: 12, gid: 34 });
      }
      if (fs.features.mknod) {
        fs.mknod("null", "char", 0o600, 1, 3);
        fs.mknod("pipe", "fifo", 0o600, 0, 0);
        expect(fs.stat("null")).toMatchObject({ type: "char", rdevMajor: 1, rdevMinor: 3, mode: 0o600 });
        expect(fs.stat("pipe")).toMatchObject({ type: "fifo" });
      }
      if (fs.features.xattrs) {
        fs.setXattr("f", "user.a", bytes("b\0c"));
        expect(fs.listXattrs("f")).toContain("user.a");
        expect(fs.getXattr("f", "user.a")).toEqual(bytes("b\0c"));
        expect(fs.getXattr("f", "user.none")).toBeUndefined();
        fs.removeXattr("f", "user.a");
        expect(fs.getXattr("f", "user.a")).toBeUndefined();
      }
    });

    test("names are bytes where they may be, long and numerous", () => {
      const odd = fs.features.rawNames ? ["\u00ff\u0080", "new\nline", " "] : ["new\nline", " "];
      const names = [...odd, "x".repeat(255), ...Array.from({ length: 2000 }, (_, i) => `n${i}`)];
      for (const name of names) put(fs, name, "");
      expect(
        fs
          .readdir("")
          .map((entry) => entry.name)
          .toSorted(),
      ).toEqual(names.toSorted());
      expect(failure(() => put(fs, "x".repeat(256), ""))).toBe("ENAMETOOLONG");
    });

    test("syncing is allowed anywhere", () => {
      put(fs, "f", "x");
      using file = fs.open("f", { write: true });
      file.fsync();
      fs.fsync();
      fs.syncfs();
    });
  });
}
