import { mkdirSync, mkdtempSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { removeWhole } from "./remove-whole.ts";

const REMOVES_SOCKETS = `const { unlinkSync } = require("node:fs");
for (;;) try { unlinkSync(require("node:worker_threads").workerData); } catch {}`;

it("removes a tree of which something goes by itself meanwhile", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lap-remove-"));
  const tree = join(folder, "tree");
  const socket = join(tree, "inner", "ctl.sock");
  const worker = new Worker(REMOVES_SOCKETS, { eval: true, workerData: socket });
  try {
    let left = 0;
    for (let i = 0; i < 200; i++) {
      mkdirSync(join(tree, "inner"), { recursive: true });
      for (const name of ["a", "c", "d", "e"]) writeFileSync(join(tree, "inner", name), "");
      writeFileSync(socket, "");
      removeWhole(tree);
      if (existsSync(tree)) left++;
    }
    expect(left).toBe(0);
    removeWhole(tree);
  } finally {
    await worker.terminate();
    rmSync(folder, { recursive: true, force: true });
  }
});
