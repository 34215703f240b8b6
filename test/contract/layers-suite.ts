// The filesystem contract: one list of cases, a function of a factory, run on the union in memory, on memfs, on a host directory and
// on kernel overlayfs. A case that needs what an implementation does not have is skipped by the name of the missing feature.
import { describe, expect, it } from "vitest";
import { errorCode, toByteString, type ByteString, type DirFs, type DirFsFeatures } from "@lapstrake/base";
import { titleUnless } from "../support/facts.ts";

/** A filesystem that shows {@link LOWER}, and what this implementation cannot do. */
export interface Subject extends Disposable {
  readonly fs: DirFs;
}

/** What a test run is about. */
export interface ContractOptions {
  readonly make: () => Subject;
  readonly features: DirFsFeatures;
  /** Directories of the layers below can be renamed: false on kernel overlayfs (EXDEV). */
  readonly renamesLowerDirs: boolean;
}

/** Members of the two lower layers, as `layer()` of the package's tests takes them. */
export const LOWER: readonly (readonly string[])[] = [
  [
    "etc/",
    "etc/passwd: root",
    "etc/group: wheel",
    "lib/",
    "lib/so.1: code",
    "lib/so -> so.1",
    "full/",
    "full/x: 1",
    "plain: text",
  ],
  ["etc/.wh.group", "etc/shadow: secret", "opt/new: 1"],
];

export function contract(name: string, { make, features, renamesLowerDirs }: ContractOptions): void {
  /** Runs a case on a fresh filesystem. */
  function test(title: string, run: (fs: DirFs) => void, needs?: keyof DirFsFeatures): void {
    it.skipIf(needs !== undefined && !features[needs])(
      needs === undefined ? title : titleUnless(!features[needs], `filesystem feature ${needs}`, title),
      () => {
        expect.hasAssertions();
        using subject = make();
        run(subject.fs);
      },
    );
  }

  describe(`${name}: what is below`, () => {
    test("shows the layers as one tree, each name once", (fs) => {
      expect(names(fs, "")).toEqual(["etc", "full", "lib", "opt", "plain"]);
      expect(names(fs, "etc")).toEqual(["passwd", "shadow"]);
    });

    test("keeps mode, owner and time of what is below", (fs) => {
      expect(fs.stat("etc/passwd")).toMatchObject({ type: "file", mode: 0o644, size: 4, mtime: { sec: 1000 } });
      expect(fs.stat("lib")).toMatchObject({ type: "dir", mode: 0o755 });
    });

    test("copies up with all metadata: a write keeps the mode, a chmod keeps time and content", (fs) => {
      fs.chmod("etc/passwd", 0o600);
      expect(fs.stat("etc/passwd")).toMatchObject({ mode: 0o600, mtime: { sec: 1000 } });
      write(fs, "lib/so.1", "CODE");
      expect(fs.stat("lib/so.1")!.mode).toBe(0o644);
      expect([read(fs, "etc/passwd"), read(fs, "lib/so.1")]).toEqual(["root", "CODE"]);
    });

    test("appends to what is below, without losing it", (fs) => {
      using file = fs.open("plain", { write: true, append: true });
      file.write(bytes(" more"), 0, 5);
      expect(read(fs, "plain")).toBe("text more");
    });

    test("a deleted and remade directory is empty", (fs) => {
      fs.unlink("full/x");
      fs.rmdir("full");
      fs.mkdir("full");
      expect(names(fs, "full")).toEqual([]);
    });

    test("a deleted name is gone from lookup and listing, and can come back as something else", (fs) => {
      fs.unlink("plain");
      expect(fs.stat("plain")).toBeUndefined();
      expect(names(fs, "")).not.toContain("plain");
      fs.mkdir("plain");
      expect(fs.stat("plain")!.type).toBe("dir");
    });

    test("moves a file from below", (fs) => {
      fs.rename("etc/passwd", "opt/passwd");
      expect([read(fs, "opt/passwd"), fs.stat("etc/passwd")]).toEqual(["root", undefined]);
    });

    test("moves a directory from below, or says EXDEV", (fs) => {
      expect(failure(() => fs.rename("etc", "opt/etc"))).toBe(renamesLowerDirs ? "" : "EXDEV");
      expect(names(fs, renamesLowerDirs ? "opt/etc" : "etc")).toEqual(["passwd", "shadow"]);
    });

    test("a link to a file from below is the same file", (fs) => {
      fs.link("plain", "again");
      write(fs, "again", "both");
      expect(read(fs, "plain")).toBe("both");
      expect([fs.stat("plain")!.nlink, fs.stat("again")!.nlink]).toEqual([2, 2]);
    });
  });

  describe(`${name}: files`, () => {
    test("creates once", (fs) => {
      write(fs, "new", "1", { create: true, exclusive: true, mode: 0o640 });
      expect(fs.stat("new")).toMatchObject({ type: "file", mode: 0o640, nlink: 1, size: 1 });
      expect(failure(() => fs.open("new", { write: true, create: true, exclusive: true }))).toBe("EEXIST");
      expect(failure(() => fs.open("none", { read: true }))).toBe("ENOENT");
    });

    test("reads and writes anywhere; what was not written is zero", (fs) => {
      using file = fs.open("big", { read: true, write: true, create: true });
      file.write(bytes("end"), 0, 3, 200_000);
      file.write(bytes("start"), 0, 5, 0);
      const all = new Uint8Array(200_003);
      let done = 0;
      for (let got = -1; got !== 0 && done < all.length; done += got)
        got = file.read(all, done, all.length - done, done);
      expect(done).toBe(200_003);
      expect([text(all.subarray(0, 6)), text(all.subarray(199_999))]).toEqual(["start\0", "\0end"]);
      expect(file.read(all, 0, 10, 200_003)).toBe(0);
    });

    test("keeps a position of its own", (fs) => {
      using file = fs.open("plain", { read: true });
      const two = new Uint8Array(2);
      const seen: string[] = [];
      while (file.read(two, 0, 2) > 0) seen.push(text(two));
      expect(seen).toEqual(["te", "xt"]);
    });

    test("truncates down and up", (fs) => {
      using file = fs.open("plain", { read: true, write: true });
      file.truncate(2);
      file.truncate(4);
      expect(read(fs, "plain")).toBe("te\0\0");
      fs.open("plain", { write: true, truncate: true }).close();
      expect(fs.stat("plain")!.size).toBe(0);
    });

    test("keeps an unlinked file while it is open", (fs) => {
      using file = fs.open("plain", { read: true });
      fs.unlink("plain");
      const out = new Uint8Array(4);
      expect([file.read(out, 0, 4, 0), text(out)]).toEqual([4, "text"]);
    });

    test("counts hard links", (fs) => {
      write(fs, "one", "1", { create: true });
      fs.link("one", "two");
      expect(failure(() => fs.link("one", "two"))).toBe("EEXIST");
      expect(fs.stat("two")!.nlink).toBe(2);
      fs.unlink("one");
      expect([fs.stat("two")!.nlink, read(fs, "two")]).toEqual([1, "1"]);
    });
  });

  describe(`${name}: directories`, () => {
    test("makes and removes", (fs) => {
      fs.mkdir("d", 0o750);
      expect(fs.stat("d")).toMatchObject({ type: "dir", mode: 0o750 });
      expect(failure(() => fs.mkdir("d"))).toBe("EEXIST");
      expect(failure(() => fs.mkdir("none/d"))).toBe("ENOENT");
      expect(failure(() => fs.mkdir("plain/d"))).toBe("ENOTDIR");
      expect(failure(() => fs.rmdir("etc"))).toBe("ENOTEMPTY");
      expect(failure(() => fs.rmdir("plain"))).toBe("ENOTDIR");
      expect(["EISDIR", "EPERM"]).toContain(failure(() => fs.unlink("d")));
      fs.rmdir("d");
      expect(fs.stat("d")).toBeUndefined();
    });

    test("renames: over a file, over an empty directory, not over a full one, not into itself", (fs) => {
      fs.mkdir("from");
      write(fs, "from/f", "1", { create: true });
      fs.mkdir("empty");
      fs.rename("from", "empty");
      expect(names(fs, "empty")).toEqual(["f"]);
      expect(failure(() => fs.rename("empty", "etc"))).toBe("ENOTEMPTY");
      expect(failure(() => fs.rename("empty", "empty/sub"))).toBe("EINVAL");
      expect(failure(() => fs.rename("empty", "plain"))).toBe("ENOTDIR");
      expect(failure(() => fs.rename("plain", "empty"))).toBe("EISDIR");
      fs.rename("empty/f", "plain");
      expect(read(fs, "plain")).toBe("1");
      expect(failure(() => fs.rename("none", "x"))).toBe("ENOENT");
      expect(failure(() => fs.rename("plain", "etc/passwd", { noReplace: true }))).toBe("EEXIST");
    });

    test("opens a directory, and everything beneath it", (fs) => {
      using etc = fs.openDir("etc");
      expect([names(etc, ""), read(etc, "passwd")]).toEqual([["passwd", "shadow"], "root"]);
      fs.rename("plain", "moved", { toDir: etc });
      expect(read(fs, "etc/moved")).toBe("text");
      expect(failure(() => fs.openDir("etc/passwd"))).toBe("ENOTDIR");
    });
  });

  describe(`${name}: links and paths`, () => {
    test("follows no link, neither last nor on the way", (fs) => {
      fs.symlink("etc", "way");
      fs.symlink("etc/passwd", "file");
      expect([fs.stat("way")!.type, fs.readlink("way")]).toEqual(["symlink", "etc"]);
      expect(failure(() => fs.open("file", { read: true }))).toBe("ELOOP");
      expect(failure(() => fs.open("way/passwd", { read: true }))).toBe("ELOOP");
      expect(failure(() => fs.openDir("way"))).toMatch(/^(?:ELOOP|ENOTDIR)$/);
      expect(failure(() => fs.readlink("plain"))).toBe("EINVAL");
      expect(failure(() => fs.unlink("way/passwd"))).toBe("ELOOP");
      fs.unlink("way");
      expect(read(fs, "etc/passwd")).toBe("root");
    });

    test("refuses paths that leave", (fs) => {
      for (const path of ["..", "../x", "etc/../../x"]) {
        expect(failure(() => fs.open(path, { read: true }))).toMatch(/^(?:EINVAL|EXDEV|ENOENT|EISDIR)$/);
      }
    });

    test("takes names that JavaScript objects have", (fs) => {
      fs.mkdir("__proto__");
      write(fs, "__proto__/constructor", "1", { create: true });
      expect(names(fs, "__proto__")).toEqual(["constructor"]);
      fs.mkdir(toByteString("ünï — 名"));
      expect(names(fs, "")).toContain(toByteString("ünï — 名"));
    });

    test(
      "takes names of any bytes",
      (fs) => {
        fs.mkdir("\u00ff\u00fe");
        expect(names(fs, "")).toContain("\u00ff\u00fe");
      },
      "rawNames",
    );

    test("refuses names that are too long", (fs) => {
      expect(failure(() => fs.mkdir("n".repeat(256)))).toBe("ENAMETOOLONG");
    });
  });

  describe(`${name}: metadata`, () => {
    test("sets modes with all twelve bits", (fs) => {
      fs.chmod("plain", 0o7777);
      fs.chmod("lib", 0o1777);
      expect([fs.stat("plain")!.mode, fs.stat("lib")!.mode]).toEqual([0o7777, 0o1777]);
    });

    test(
      "sets owners, of links too",
      (fs) => {
        fs.symlink("x", "link");
        fs.chown("link", 7, 8);
        fs.chown("etc", 1000, 1001);
        expect(fs.stat("link")).toMatchObject({ uid: 7, gid: 8 });
        expect(fs.stat("etc")).toMatchObject({ uid: 1000, gid: 1001 });
      },
      "chown",
    );

    test("sets times, before 1970 and after 2038", (fs) => {
      fs.utimes("plain", { sec: 4_000_000_000, nsec: 0 }, { sec: -1000, nsec: 0 });
      expect(fs.stat("plain")).toMatchObject({ atime: { sec: 4_000_000_000 }, mtime: { sec: -1000, nsec: 0 } });
    });

    test(
      "keeps nanoseconds",
      (fs) => {
        fs.utimes("etc", { sec: 5, nsec: 123_456_789 }, { sec: 6, nsec: 1 });
        expect(fs.stat("etc")).toMatchObject({ atime: { sec: 5, nsec: 123_456_789 }, mtime: { sec: 6, nsec: 1 } });
      },
      "nanoseconds",
    );

    test(
      "keeps extended attributes as bytes",
      (fs) => {
        const value = new Uint8Array([0, 255, 10]);
        fs.setXattr("plain", "user.a", value);
        fs.setXattr("etc", "trusted.b", bytes("x"));
        expect([fs.getXattr("plain", "user.a"), fs.listXattrs("etc"), fs.getXattr("plain", "user.none")]).toEqual([
          value,
          ["trusted.b"],
          undefined,
        ]);
        fs.removeXattr("plain", "user.a");
        expect(fs.listXattrs("plain")).toEqual([]);
        expect(failure(() => fs.removeXattr("plain", "user.a"))).toBe("ENODATA");
      },
      "xattrs",
    );

    test(
      "makes devices, fifos and sockets, and no 0:0 device where that means a deletion",
      (fs) => {
        fs.mknod("null", "char", 0o666, 1, 3);
        fs.mknod("disk", "block", 0o600, 259, 65_537);
        fs.mknod("pipe", "fifo", 0o644, 0, 0);
        fs.mknod("sock", "socket", 0o644, 0, 0);
        expect(fs.stat("null")).toMatchObject({ type: "char", rdevMajor: 1, rdevMinor: 3 });
        expect(fs.stat("disk")).toMatchObject({ type: "block", rdevMajor: 259, rdevMinor: 65_537 });
        expect([fs.stat("pipe")!.type, fs.stat("sock")!.type]).toEqual(["fifo", "socket"]);
        expect(failure(() => fs.mknod("null", "char", 0, 1, 3))).toBe("EEXIST");
      },
      "mknod",
    );
  });
}

function names(fs: DirFs, path: ByteString): ByteString[] {
  return fs
    .readdir(path)
    .map(({ name }) => name)
    .toSorted();
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

function read(fs: DirFs, path: ByteString): string {
  using file = fs.open(path, { read: true });
  const out = new Uint8Array(file.stat().size);
  file.read(out, 0, out.length, 0);
  return text(out);
}

function write(fs: DirFs, path: ByteString, value: string, options: Parameters<DirFs["open"]>[1] = {}): void {
  using file = fs.open(path, { write: true, ...options });
  file.write(bytes(value), 0, value.length, 0);
}

function failure(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
}
