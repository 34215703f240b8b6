// The kernel's DirFs under the contract, and what only a kernel can show: a racing attacker gains nothing.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { openDirFs } from "@lapstrake/core";
import { dirFsContract } from "../contract/dirfs-contract.ts";
import { until } from "../support/until.ts";
import { missing } from "./core-harness.ts";

const RACE_MS = 700;

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
      const told = new Int32Array(workerData.told);
      while (Atomics.load(told, 0) === 0) {
        renameSync(d, away); symlinkSync(workerData.outside, d); unlinkSync(d); renameSync(away, d);
      }`;
    const told = new SharedArrayBuffer(4);
    const worker = new Worker(swap, { eval: true, workerData: { inside, outside, told } });
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    const seen = { made: 0, refused: 0 };
    const enough = performance.now() + RACE_MS;
    try {
      // Both ends of the race have to be seen, or it was none.
      await until("it raced", () => {
        for (let i = 0; i < 500; i++) {
          using fresh = openDirFs(inside);
          try {
            fresh.open("d/f", { create: true, write: true }).close();
            seen.made++;
          } catch (error) {
            expect(["ENOENT", "ELOOP", "ENOTDIR"]).toContain((error as { code?: string }).code);
            seen.refused++;
          }
        }
        return performance.now() > enough && seen.made > 0 && seen.refused > 0;
      });
    } finally {
      Atomics.store(new Int32Array(told), 0, 1);
      await ended;
    }
    expect(readdirSync(outside)).toEqual([]);
    rmSync(dir, { recursive: true, force: true });
  });
});
