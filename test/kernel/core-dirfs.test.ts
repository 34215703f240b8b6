// The kernel's DirFs under the contract, and what only a kernel can show: a racing attacker gains nothing.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { openDirFs } from "@lapstrake/core";
import { dirFsContract } from "../contract/dirfs-contract.ts";
import { missing } from "./core-harness.ts";

describe.skipIf(missing !== undefined)(`core dirfs${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  dirFsContract("kernel", {
    make() {
      const dir = mkdtempSync(join(tmpdir(), "lap-dirfs-"));
      return { fs: openDirFs(dir), dispose: () => rmSync(dir, { recursive: true, force: true }) };
    },
  });

  test("a directory that turns into a link while files are made leads nowhere outside", async () => {
    const dir = mkdtempSync(join(tmpdir(), "lap-race-"));
    const inside = join(dir, "inside");
    const outside = join(dir, "outside");
    for (const path of [inside, outside, join(inside, "d")]) mkdirSync(path);
    const swap = `
      const { renameSync, symlinkSync, unlinkSync } = require("node:fs");
      const { workerData } = require("node:worker_threads");
      const d = workerData.inside + "/d", away = workerData.inside + "/away";
      for (const end = Date.now() + 700; Date.now() < end;) {
        renameSync(d, away); symlinkSync(workerData.outside, d); unlinkSync(d); renameSync(away, d);
      }`;
    const worker = new Worker(swap, { eval: true, workerData: { inside, outside } });
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    const fs = openDirFs(inside);
    let made = 0;
    let isOver = false;
    void ended.then(() => (isOver = true));
    while (!isOver) {
      for (let i = 0; i < 50; i++) {
        using fresh = openDirFs(inside);
        try {
          fresh.open("d/f", { create: true, write: true }).close();
          made++;
        } catch (error) {
          expect(["ENOENT", "ELOOP", "ENOTDIR"]).toContain((error as { code?: string }).code);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    fs.close();
    expect(made).toBeGreaterThan(0);
    expect(readdirSync(outside)).toEqual([]);
    rmSync(dir, { recursive: true, force: true });
  });
});
