// A directory of the machine in a guest's filesystem (`-v`): what is written arrives, and nothing crosses its edge (more: wasm-escape-volume).
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDirFs } from "@lapstrake/core";
import { UnionFs } from "@lapstrake/layers";
import { DirInodes, MountFs, compileModule, runModule } from "@lapstrake/wasm";
import { parseWat } from "@lapstrake/wasm/component";
import type { DirFs } from "@lapstrake/base";
import { afterEach, beforeEach, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { Probe, ROOT_FD } from "@lapstrake/wasm/probe";

let top: string;
let volume: string;
let dir: DirFs;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "lap-volume-"));
  volume = join(top, "volume");
  mkdirSync(join(volume, "d"), { recursive: true });
  writeFileSync(join(volume, "d", "f"), "inside");
  dir = openDirFs(volume, { live: true });
});

afterEach(() => {
  dir.close();
  rmSync(top, { recursive: true });
});

/** A container's filesystem with the volume on /data. */
function mounted(readOnly = false): MountFs {
  const root = UnionFs.create([]);
  root.mkdir(root.root, "data", 0o755);
  return new MountFs(root, [{ path: "/data", fs: new DirInodes(dir, { readOnly }) }]);
}

needs("root").describe("volumes of Wasm guests", () => {
  it("take what a guest writes, list, and lose what it removes", async () => {
    const hello = compileModule(
      await parseWat(readFileSync(new URL("../../wasm/wat/hello.wat", import.meta.url), "utf8")),
    );
    const args = ["hello", "write", "/data/new", "text", "ls", "/data", "cat", "/data/d/f", "rm", "/data/d/f"];
    expect(runModule({ fs: mounted(), module: hello, args })).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(volume, "new"), "utf8")).toBe("text\n");
    expect(() => statSync(join(volume, "d", "f"))).toThrow("ENOENT");
  });

  it("refuse changes when read-only", () => {
    const probe = new Probe(mounted(true));
    const EROFS = 69;
    expect(probe.open(ROOT_FD, "data/d/f")).toBe(-EROFS);
    expect(probe.open(ROOT_FD, "data/new", { oflags: 1 })).toBe(-EROFS);
    expect(probe.at("path_unlink_file", ROOT_FD, "data/d/f")).toBe(EROFS);
    expect(probe.at("path_create_directory", ROOT_FD, "data/x")).toBe(EROFS);
    expect(probe.from("path_rename", ROOT_FD, "data/d", ROOT_FD, "data/e")).toBe(EROFS);
    expect(probe.symlink("x", ROOT_FD, "data/l")).toBe(EROFS);
    expect(probe.readAll(probe.open(ROOT_FD, "data/d/f", { rights: 2 }))).toBe("inside");
  });

  it("are no way across: rename and link are EXDEV, the mount point is busy", () => {
    const probe = new Probe(mounted());
    expect(probe.from("path_rename", ROOT_FD, "data/d/f", ROOT_FD, "f")).toBe(75);
    expect(probe.from("path_link", ROOT_FD, "data/d/f", ROOT_FD, "f")).toBe(75);
    expect(probe.at("path_remove_directory", ROOT_FD, "data")).toBe(10);
  });

  it("do not let a pipe of the machine stop the guest", () => {
    dir.mknod("pipe", "fifo", 0o644, 0, 0);
    expect(new Probe(mounted()).open(ROOT_FD, "data/pipe", { rights: 2 })).toBe(-60);
  });
});
