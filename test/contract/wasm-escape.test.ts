// The escape table: a guest that has one directory tries every known way out of it with every operation. Outside nothing may be
// read, made, changed or removed. The rows are those that got out of other hosts (links, "..", renames while open).
import { OPEN, UnionFs, resolvePath, type Attr, type Ino } from "@lapstrake/layers";
import { describe, expect, it } from "vitest";
import { DIR_RIGHTS, FILE_RIGHTS, Probe, ROOT_FD } from "@lapstrake/wasm/probe";
import { HARD_LINKS, jailLinks, OPERATIONS, ROWS, SECRET } from "../support/wasm-escape.ts";

function write(fs: UnionFs, dir: Ino, name: string, text: string): void {
  const { handle } = fs.create(dir, name, 0o600, OPEN.write);
  fs.write(handle, new TextEncoder().encode(text), 0, text.length, 0);
  fs.close(handle);
}

/** /outside with a secret, /jail with links that lead there. */
function world(): UnionFs {
  const fs = UnionFs.create([]);
  const outside = fs.mkdir(fs.root, "outside", 0o755);
  write(fs, outside, "secret", SECRET);
  fs.mkdir(outside, "empty", 0o755);
  const jail = fs.mkdir(fs.root, "jail", 0o755);
  write(fs, jail, "mine", "mine");
  fs.mkdir(fs.mkdir(jail, "a", 0o755), "b", 0o755);
  for (const [name, target] of Object.entries(jailLinks("/outside"))) fs.symlink(jail, name, target);
  for (const [name, of] of Object.entries(HARD_LINKS)) fs.link(fs.lookup(jail, of), jail, name);
  return UnionFs.create([fs.freeze()]);
}

interface Seen {
  readonly path: string;
  readonly attr: Omit<Attr, "atimeSec" | "atimeNsec">;
  readonly text: string;
}

/** Everything outside, so that one comparison shows any change. */
function outside(fs: UnionFs): Seen[] {
  const out: Seen[] = [];
  const visit = (ino: Ino, path: string): void => {
    const { atimeSec: _sec, atimeNsec: _nsec, ...attr } = fs.getattr(ino);
    const bytes = new Uint8Array(attr.type === "file" ? attr.size : 0);
    if (attr.type === "file") {
      const handle = fs.open(ino, OPEN.read);
      fs.read(handle, bytes, 0, bytes.length, 0);
      fs.close(handle);
    }
    out.push({ path, attr, text: new TextDecoder().decode(bytes) });
    if (attr.type !== "dir") return;
    const handle = fs.opendir(ino);
    for (const item of fs.readdir(handle, 0, 1000)) visit(item.ino, `${path}/${item.name}`);
    fs.close(handle);
  };
  const found = resolvePath(fs, fs.root, "outside");
  if (typeof found !== "number") visit(found.ino, "/outside");
  return out;
}

describe.each(ROWS)("way out: %s", (_title, file, dir) => {
  it.each(Object.keys(OPERATIONS))("%s", (name) => {
    for (const follow of [true, false]) {
      const fs = world();
      const before = outside(fs);
      const got = OPERATIONS[name]!(new Probe(fs, { "/": "/jail" }), file, dir, follow);
      expect(got, `follow ${follow}`).not.toBe(SECRET);
      if (name === "stat" || name === "open directory") expect(got, `follow ${follow}`).not.toBe(0);
      if (typeof got === "number" && name === "open directory") expect(got).toBeLessThan(0);
      expect(outside(fs)).toEqual(before);
    }
  });
});

describe("ways out that the guest makes itself", () => {
  it("refuses absolute link targets, and does not follow relative ones out", () => {
    const fs = world();
    const probe = new Probe(fs, { "/": "/jail" });
    expect(probe.symlink("/outside/secret", ROOT_FD, "mylink")).not.toBe(0);
    expect(probe.symlink("../outside/secret", ROOT_FD, "mylink")).toBe(0);
    expect(probe.open(ROOT_FD, "mylink", { follow: true })).toBeLessThan(0);
  });

  it("keeps a directory closed above when it is moved out while open", () => {
    const fs = world();
    const probe = new Probe(fs, { "/": "/jail" });
    const held = probe.open(ROOT_FD, "a/b", { oflags: 2, rights: DIR_RIGHTS });
    const jail = fs.lookup(fs.root, "jail");
    fs.rename(fs.lookup(jail, "a"), "b", fs.lookup(fs.root, "outside"), "b", 0);
    const before = outside(fs);
    for (const path of ["../secret", "../../outside/secret", ".."]) {
      expect(probe.open(held, path, { follow: true, rights: 2 })).toBeLessThan(0);
    }
    expect(outside(fs)).toEqual(before);
  });

  it("does not leave through a directory opened before a link took its place", () => {
    const fs = world();
    const probe = new Probe(fs, { "/": "/jail" });
    const held = probe.open(ROOT_FD, "a", { oflags: 2, rights: DIR_RIGHTS });
    expect(probe.from("path_rename", ROOT_FD, "a", ROOT_FD, "moved")).toBe(0);
    expect(probe.symlink("../outside", ROOT_FD, "a")).toBe(0);
    expect(probe.open(ROOT_FD, "a/secret", { follow: true })).toBeLessThan(0);
    expect(probe.open(held, "../outside/secret", { follow: true })).toBeLessThan(0);
  });
});

describe("read-only filesystems", () => {
  it("refuse every operation that changes something", () => {
    const writable = world();
    write(writable, writable.root, "f", "x");
    const inner = UnionFs.create([writable.freeze()], { readOnly: true });
    const EROFS = 69;
    const probe = new Probe(inner);
    const errnos = {
      write: -probe.open(ROOT_FD, "f"),
      truncate: -probe.open(ROOT_FD, "f", { oflags: 8, rights: 2 }),
      create: -probe.open(ROOT_FD, "n", { oflags: 1, rights: 2 }),
      mkdir: probe.at("path_create_directory", ROOT_FD, "n"),
      unlink: probe.at("path_unlink_file", ROOT_FD, "f"),
      rename: probe.from("path_rename", ROOT_FD, "f", ROOT_FD, "g"),
      link: probe.from("path_link", ROOT_FD, "f", ROOT_FD, "g"),
      symlink: probe.symlink("x", ROOT_FD, "g"),
      times: probe.call("path_filestat_set_times", ROOT_FD, 0, ...probe.path("f"), 1n, 1n, 5),
      descriptorTimes: probe.call(
        "fd_filestat_set_times",
        probe.open(ROOT_FD, "f", { rights: FILE_RIGHTS & ~(64 | 256 | 0x400000) }),
        1n,
        1n,
        5,
      ),
    };
    expect(errnos).toEqual(Object.fromEntries(Object.keys(errnos).map((name) => [name, EROFS])));
  });
});

describe("names and sizes that break hosts", () => {
  it("takes names of JavaScript's own objects for files", () => {
    const probe = new Probe(UnionFs.create([]));
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect(probe.open(ROOT_FD, name, { oflags: 5 })).toBeGreaterThan(0);
      expect(probe.open(ROOT_FD, name)).toBeGreaterThan(0);
    }
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("refuses NUL in paths, and paths that are too long", () => {
    const probe = new Probe(UnionFs.create([]));
    expect(probe.open(ROOT_FD, "a\0b", { oflags: 1 })).toBe(-28);
    expect(probe.open(ROOT_FD, `${"x/".repeat(2100)}y`)).toBe(-37);
    expect(probe.open(ROOT_FD, "x".repeat(300), { oflags: 1 })).toBe(-37);
  });

  it("keeps bytes that are no UTF-8 as they are", () => {
    const fs = UnionFs.create([]);
    const name = "\u00ff\u00fe";
    fs.close(fs.create(fs.root, name, 0o644, OPEN.write).handle);
    const probe = new Probe(fs);
    const memory = new Uint8Array(probe.memory.buffer);
    memory.set([0xff, 0xfe], 2000);
    expect(probe.call("path_filestat_get", ROOT_FD, 0, 2000, 2, 128)).toBe(0);
  });

  it("runs out of descriptors, not of memory", () => {
    const probe = new Probe(UnionFs.create([]), undefined, 100);
    expect(probe.open(ROOT_FD, "f", { oflags: 1 })).toBe(4);
    let last = 0;
    for (let i = 0; i < 200 && last >= 0; i++) last = probe.open(ROOT_FD, "f");
    expect(last).toBe(-33);
  });

  it("answers pointers outside the memory with EFAULT", () => {
    const probe = new Probe(UnionFs.create([]));
    expect(probe.call("fd_write", 1, 0xffff_fff0 | 0, 4, 0)).toBe(21);
    expect(probe.call("path_open", ROOT_FD, 0, -1, 10, 0, 0n, 0n, 0, 0)).toBe(21);
    expect(probe.call("random_get", 60_000, 60_000)).toBe(21);
    expect(probe.call("clock_time_get", 0, 0n, -4)).toBe(21);
  });
});
