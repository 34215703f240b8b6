// The escape table over a directory of the machine (-v): every way out with every operation, as the whole of a guest's world and
// as part of it. Beside the directory nothing may be read, made, changed or removed; also not while others swap names meanwhile.
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { UnionFs } from "@lapstrake/layers";
import { DirInodes, MountFs } from "@lapstrake/wasm";
import { DIR_RIGHTS, FILE_RIGHTS, Probe, ROOT_FD } from "@lapstrake/wasm/probe";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { PATIENCE_MS } from "../support/until.ts";
import { MARK, OPERATIONS, ROWS, SECRET } from "../support/wasm-escape.ts";
import { makeJail, startSwapper } from "../support/wasm-jail.ts";

const RACE_MS = 8000;
const CONTROL_MS = PATIENCE_MS;
/** Of each outcome, for a race to have been one. */
const ENOUGH = 100;
const READS_PER_CHANGE = 20;
const EROFS = 69;

let top: string;
let jail: string;
let outside: string;
let open: Disposable[];

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "lap-escape-"));
  ({ jail, outside } = makeJail(top));
  open = [];
});

afterEach(() => {
  for (const dir of open) dir[Symbol.dispose]();
  rmSync(top, { recursive: true });
});

/** A container's filesystem with the jail on /data. */
function mounted(readOnly = false): MountFs {
  const root = UnionFs.create([]);
  root.mkdir(root.root, "data", 0o755);
  const dir = openDirFs(jail, { live: true });
  open.push(dir);
  return new MountFs(root, [{ path: "/data", fs: new DirInodes(dir, { readOnly }) }]);
}

/** Everything beside the jail: names, kinds, sizes, times of change, texts. */
function beside(dir: string = outside): unknown[] {
  return readdirSync(dir)
    .toSorted()
    .flatMap((name) => {
      const path = join(dir, name);
      const { mode, nlink, size, mtimeMs, ctimeMs } = lstatSync(path);
      const seen = { path, mode, nlink, size, mtimeMs, ctimeMs };
      if ((mode & 0o170000) === 0o040000) return [seen, ...beside(path)];
      return [{ ...seen, text: (mode & 0o170000) === 0o120000 ? readlinkSync(path) : readFileSync(path, "utf8") }];
    });
}

/** What the guest has, and how it names a path of the jail. */
const WORLDS = {
  "the directory is all it has": {
    probe: () => new Probe(mounted(), { "/": "/data" }),
    name: (path: string) => path,
  },
  "the directory is mounted on /data": {
    probe: () => new Probe(mounted()),
    name: (path: string) => (path.startsWith("/") ? path : `data/${path}`),
  },
} as const;

needs("root").describe("a directory of the machine", () => {
  const cases = Object.entries(WORLDS).flatMap(([world, { probe, name }]) =>
    ROWS.map(([title, file, dir]) => ({ world, probe, name, title, file, dir })),
  );
  describe.each(cases)("$world, way out: $title", ({ probe, name, file, dir }) => {
    it.each(Object.keys(OPERATIONS))("%s", (operation) => {
      const before = beside();
      for (const follow of [true, false]) {
        const got = OPERATIONS[operation]!(probe(), name(file), name(dir), follow);
        expect(got, `follow ${follow}`).not.toBe(SECRET);
        if (operation === "stat") expect(got, `follow ${follow}`).not.toBe(0);
        if (operation === "open directory") expect(got, `follow ${follow}`).toBeLessThan(0);
        expect(beside(), `follow ${follow}`).toEqual(before);
      }
    });
  });
});

needs("root").describe("ways out that the guest or the machine makes meanwhile", () => {
  it("a link made by the guest does not lead out", () => {
    for (const target of ["../outside", outside]) {
      const probe = new Probe(mounted());
      probe.symlink(target, ROOT_FD, "data/mylink");
      expect(probe.open(ROOT_FD, "data/mylink/secret", { follow: true, rights: 2 })).toBeLessThan(0);
      expect(probe.open(ROOT_FD, "data/mylink/new", { follow: true, oflags: 1 })).toBeLessThan(0);
      rmSync(join(jail, "mylink"), { force: true });
    }
    expect(readdirSync(outside).toSorted()).toEqual(["empty", "secret"]);
  });

  it("a directory that the machine moved away is gone, also for who has it open", () => {
    const probe = new Probe(mounted());
    const held = probe.open(ROOT_FD, "data/a/b", { oflags: 2, rights: DIR_RIGHTS });
    writeFileSync(join(jail, "a/b/f"), "inside");
    expect(probe.readAll(probe.open(held, "f", { rights: 2 }))).toBe("inside");
    renameSync(join(jail, "a"), join(outside, "a"));
    writeFileSync(join(outside, "a/b/f"), SECRET);
    const before = beside();
    for (const path of ["f", "../../secret", "../../../outside/secret", "../b/f"]) {
      expect(probe.open(held, path, { follow: true, rights: 2 }), path).toBeLessThan(0);
      // What it makes then is in its own filesystem, whose root is two steps up.
      probe.open(held, path, { follow: true, oflags: 1, rights: FILE_RIGHTS });
    }
    expect(probe.at("path_unlink_file", held, "f")).not.toBe(0);
    expect(probe.at("path_create_directory", held, "made")).not.toBe(0);
    expect(beside()).toEqual(before);
  });

  it("a directory that the machine replaced is the new one", () => {
    const probe = new Probe(mounted());
    const held = probe.open(ROOT_FD, "data/a", { oflags: 2, rights: DIR_RIGHTS });
    expect(probe.open(held, "b/f", { rights: 2 })).toBeLessThan(0);
    rmSync(join(jail, "a"), { recursive: true });
    mkdirSync(join(jail, "a/b"), { recursive: true });
    writeFileSync(join(jail, "a/b/f"), "fresh");
    expect(probe.readAll(probe.open(held, "b/f", { rights: 2 }))).toBe("fresh");
  });

  it("a directory that became a link is not followed, neither by name nor by descriptor", () => {
    const probe = new Probe(mounted());
    const held = probe.open(ROOT_FD, "data/a", { oflags: 2, rights: DIR_RIGHTS });
    renameSync(join(jail, "a"), join(jail, "moved"));
    symlinkSync("../outside", join(jail, "a"));
    expect(probe.open(held, "secret", { follow: true, rights: 2 })).toBeLessThan(0);
    expect(probe.open(ROOT_FD, "data/a/secret", { follow: true, rights: 2 })).toBeLessThan(0);
    expect(probe.at("path_unlink_file", held, "secret")).not.toBe(0);
  });
});

needs("root").describe("a read-only mount", () => {
  it("refuses every operation that changes something", () => {
    const probe = new Probe(mounted(true));
    const reading = probe.open(ROOT_FD, "data/mine", { rights: FILE_RIGHTS & ~(64 | 256 | 0x400000) });
    expect(reading).toBeGreaterThan(0);
    const errnos = {
      write: -probe.open(ROOT_FD, "data/mine"),
      truncate: -probe.open(ROOT_FD, "data/mine", { oflags: 8, rights: 2 }),
      create: -probe.open(ROOT_FD, "data/n", { oflags: 1, rights: 2 }),
      mkdir: probe.at("path_create_directory", ROOT_FD, "data/n"),
      rmdir: probe.at("path_remove_directory", ROOT_FD, "data/a/b"),
      unlink: probe.at("path_unlink_file", ROOT_FD, "data/mine"),
      rename: probe.from("path_rename", ROOT_FD, "data/mine", ROOT_FD, "data/g"),
      link: probe.from("path_link", ROOT_FD, "data/mine", ROOT_FD, "data/g"),
      symlink: probe.symlink("x", ROOT_FD, "data/g"),
      times: probe.call("path_filestat_set_times", ROOT_FD, 0, ...probe.path("data/mine"), 1n, 1n, 5),
      descriptorTimes: probe.call("fd_filestat_set_times", reading, 1n, 1n, 5),
    };
    const before = beside(jail);
    expect(errnos).toEqual(Object.fromEntries(Object.keys(errnos).map((key) => [key, EROFS])));
    expect(beside(jail)).toEqual(before);
  });
});

needs("root").describe("races", () => {
  it(`lose nothing in ${RACE_MS} ms: names swapped between a directory and a link, by every operation`, async () => {
    const before = beside();
    const probe = new Probe(mounted());
    const base = probe.open(ROOT_FD, "data", { oflags: 2, rights: DIR_RIGHTS });
    const seen = { inside: 0, refused: 0, escaped: 0 };
    {
      await using _swapper = await startSwapper(jail);
      expect(naiveEscape(), "a host that looks and then opens by path").toBe(true);
      const raced = (): boolean => seen.inside > ENOUGH && seen.refused > ENOUGH;
      const [end, last] = [performance.now() + RACE_MS, performance.now() + PATIENCE_MS];
      while (performance.now() < end || (!raced() && performance.now() < last)) {
        for (let i = 0; i < READS_PER_CHANGE; i++) seen[readSwapped(probe, base)] += 1;
        changeSomething(probe, base);
      }
    }
    expect(beside()).toEqual(before);
    expect(seen.escaped).toBe(0);
    expect(seen.inside).toBeGreaterThan(ENOUGH);
    expect(seen.refused).toBeGreaterThan(ENOUGH);
  });
});

/** The race is a real one: whoever checks a path and then opens it gets out. */
function naiveEscape(): boolean {
  for (const until = performance.now() + CONTROL_MS; performance.now() < until;) {
    try {
      if (lstatSync(join(jail, "d")).isDirectory() && readFileSync(join(jail, "d/secret"), "utf8") === SECRET)
        return true;
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }
  return false;
}

/** What the name that is being swapped gave. */
function readSwapped(probe: Probe, base: number): "inside" | "refused" | "escaped" {
  const fd = probe.open(base, "d/secret", { follow: true, rights: 2 });
  if (fd < 0) return "refused";
  const text = probe.readAll(fd);
  probe.call("fd_close", fd);
  return text === SECRET ? "escaped" : "inside";
}

/** One try of everything that changes, through the name that is being swapped. */
function changeSomething(probe: Probe, base: number): void {
  const fd = probe.open(base, "d/new", { follow: true, oflags: 9, rights: FILE_RIGHTS });
  if (fd >= 0) {
    probe.write(fd, MARK);
    probe.call("fd_close", fd);
  }
  probe.at("path_create_directory", base, "d/made");
  probe.at("path_remove_directory", base, "d/made");
  probe.at("path_remove_directory", base, "d/empty");
  probe.from("path_rename", base, "d/new", base, "d/new2");
  probe.from("path_link", base, "d/new2", base, "d/new3");
  probe.call("path_filestat_set_times", base, 1, ...probe.path("d/new2"), 5n, 5n, 5);
  probe.at("path_unlink_file", base, "d/new2");
  probe.at("path_unlink_file", base, "d/new3");
  probe.symlink("x", base, "d/sym");
  probe.at("path_unlink_file", base, "d/sym");
}
