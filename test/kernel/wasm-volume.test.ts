// A directory of the machine in a guest's filesystem (`-v`): what is written arrives, and no link, rename or race leads out.
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { openDirFs } from "@lapstrake/core";
import { UnionFs } from "@lapstrake/layers";
import { DirInodes, MountFs, compileModule, runModule } from "@lapstrake/wasm";
import { parseWat } from "@lapstrake/wasm/component";
import type { DirFs } from "@lapstrake/base";
import { afterEach, beforeEach, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { DIR_RIGHTS, Probe, ROOT_FD } from "@lapstrake/wasm/probe";

const SECRET = "top secret";
const RACE_MS = 3000;

let top: string;
let volume: string;
let dir: DirFs;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "lap-volume-"));
  volume = join(top, "volume");
  mkdirSync(join(top, "outside"));
  writeFileSync(join(top, "outside", "f"), SECRET);
  mkdirSync(join(volume, "d"), { recursive: true });
  writeFileSync(join(volume, "d", "f"), "inside");
  dir = openDirFs(volume);
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

  it("do not let links of the machine lead out", () => {
    const links = {
      rel: "../outside",
      abs: join(top, "outside"),
      relfile: "../outside/f",
      absfile: join(top, "outside/f"),
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(volume, name));
    linkSync(join(volume, "relfile"), join(volume, "hard"));
    const paths = ["rel/f", "abs/f", "relfile", "absfile", "hard", "../outside/f", "d/../../outside/f", "rel/", "abs/"];
    for (const follow of [true, false]) {
      for (const path of paths) {
        const probe = new Probe(mounted());
        const full = `data/${path}`;
        expect(probe.open(ROOT_FD, full, { follow, rights: 2 }), full).toBeLessThan(0);
        expect(probe.open(ROOT_FD, full, { follow, oflags: 8 }), full).toBeLessThan(0);
        expect(probe.open(ROOT_FD, `${full}/new`, { follow, oflags: 1 }), full).toBeLessThan(0);
      }
    }
    expect(readFileSync(join(top, "outside", "f"), "utf8")).toBe(SECRET);
  });

  it("do not let a pipe of the machine stop the guest", () => {
    dir.mknod("pipe", "fifo", 0o644, 0, 0);
    expect(new Probe(mounted()).open(ROOT_FD, "data/pipe", { rights: 2 })).toBe(-60);
  });

  it(`win a race of ${RACE_MS} ms against swapped directories and links: no escape`, async () => {
    symlinkSync("../outside", join(volume, "l"));
    await using swapper = startSwapper();
    const fs = mounted();
    const probe = new Probe(fs);
    const base = probe.open(ROOT_FD, "data", { oflags: 2, rights: DIR_RIGHTS });
    const seen = { inside: 0, refused: 0, escaped: 0 };
    await swapper.started;
    for (const until = performance.now() + RACE_MS; performance.now() < until;) {
      const fd = probe.open(base, "d/f", { follow: true, rights: 2 });
      if (fd < 0) {
        seen.refused += 1;
        continue;
      }
      if (probe.readAll(fd) === SECRET) seen.escaped += 1;
      else seen.inside += 1;
      probe.call("fd_close", fd);
    }
    expect(seen.escaped).toBe(0);
    expect(seen.inside).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(100);
  });
});

/** Another thread: d is the directory, then the link, then the directory again. */
function startSwapper(): AsyncDisposable & { started: Promise<unknown> } {
  const source = `
    const { renameSync } = require("node:fs");
    const { parentPort, workerData: at } = require("node:worker_threads");
    parentPort.postMessage("started");
    for (;;) {
      renameSync(at + "/d", at + "/t"); renameSync(at + "/l", at + "/d");
      renameSync(at + "/d", at + "/l"); renameSync(at + "/t", at + "/d");
    }`;
  const worker = new Worker(source, { eval: true, workerData: volume });
  return {
    started: new Promise((resolve) => worker.once("message", resolve)),
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  };
}
