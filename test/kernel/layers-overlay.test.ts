// The union filesystem in `overlay2` mode against kernel overlayfs: random operations on random layers, errno and answer after each
// step, held descriptors, then the tree and what the upper changes. LAP_DIFF_RUNS sets the number of sequences, LAP_DIFF_SEED the seed.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDirFs } from "@lapstrake/core";
import {
  UnionFs,
  dirFsOf,
  mergeOnto,
  readUpper,
  treeChanges,
  writeTree,
  type LayerTree,
  type MergedTree,
} from "@lapstrake/layers";
import { GROUND, Player, canonical, op, type Op } from "../contract/layers-ops.ts";
import { needs } from "../support/facts.ts";

const RUNS = Number(process.env["LAP_DIFF_RUNS"] ?? 150);
const isRoot = process.getuid?.() === 0;

/** A shell that mounts for us: starting a process from a large Node for each case would be most of the time. */
class Shell {
  readonly #child: ChildProcess;
  readonly #in: number;
  readonly #out: number;

  constructor(dir: string) {
    execFileSync("mkfifo", [join(dir, "in"), join(dir, "out")]);
    this.#child = spawn("sh", ["-c", `exec sh < "${dir}/in" > "${dir}/out" 2>&1`], { stdio: "ignore" });
    this.#in = openSync(join(dir, "in"), "w");
    this.#out = openSync(join(dir, "out"), "r");
  }

  run(command: string): void {
    writeSync(this.#in, `${command} && echo ok || echo failed\n`);
    const buffer = Buffer.alloc(4096);
    let text = "";
    while (!/(?:ok|failed)\n$/.test(text)) text += buffer.toString("utf8", 0, readSync(this.#out, buffer));
    if (!text.endsWith("ok\n")) throw new Error(`${command}: ${text}`);
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    closeSync(this.#in);
    closeSync(this.#out);
    await gone;
  }
}

let base = "";
let shell: Shell;
let serial = 0;

beforeAll(() => {
  if (!isRoot) return;
  base = mkdtempSync(join(tmpdir(), "lap-overlay-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=755", "lap-test", base]);
  shell = new Shell(base);
});

afterAll(async () => {
  if (!isRoot) return;
  await shell.close();
  execFileSync("umount", [base]);
  rmSync(base, { recursive: true });
});

/** Layers made by playing operations on the engine itself, each frozen. */
function makeLayers(lists: readonly (readonly Op[])[], startSec: number): LayerTree[] {
  let clock = startSec;
  const fs = UnionFs.create([], { mode: "overlay2", now: () => ({ sec: clock++, nsec: 77 }) });
  return lists.map((list) => {
    const player = new Player(dirFsOf(fs));
    for (const step of list) player.play(step);
    player.close();
    return fs.freeze();
  });
}

interface Outcome {
  readonly steps: string[];
  readonly tree: string[];
  readonly changes: string[];
}

function inMemory(lower: MergedTree, ops: readonly Op[], startedSec: number): Outcome {
  const fs = UnionFs.over(lower, { mode: "overlay2" });
  const player = new Player(dirFsOf(fs));
  const steps = ops.map((step) => player.play(step));
  const tree = canonical(dirFsOf(fs), startedSec);
  player.close();
  return { steps, tree, changes: fs.changes().map(({ kind, path }) => `${kind} ${path}`) };
}

function onKernel(layers: readonly LayerTree[], lower: MergedTree, ops: readonly Op[], startedSec: number): Outcome {
  const dir = join(base, String(serial++));
  const names = ["upper", "work", "merged", ...layers.map((_, i) => `l${i}`)];
  mkdirSync(dir);
  for (const name of names) mkdirSync(join(dir, name));
  for (const [i, layer] of layers.entries()) writeInto(layer, join(dir, `l${i}`));
  const lowerdir = layers.map((_, i) => join(dir, `l${i}`)).toReversed();
  const options = `lowerdir=${lowerdir.join(":")},upperdir=${dir}/upper,workdir=${dir}/work`;
  shell.run(`mount -t overlay -o ${options},redirect_dir=off,index=off,metacopy=off,xino=off overlay ${dir}/merged`);
  try {
    using merged = openDirFs(join(dir, "merged"));
    const player = new Player(merged);
    const steps = ops.map((step) => player.play(step));
    const tree = canonical(merged, startedSec);
    player.close();
    using upper = openDirFs(join(dir, "upper"));
    const changes = treeChanges(readUpper(upper), lower).map(({ kind, path }) => `${kind} ${path}`);
    return { steps, tree, changes };
  } finally {
    shell.run(`umount ${dir}/merged && rm -rf ${dir}`);
  }
}

function writeInto(layer: LayerTree, path: string): void {
  using dir = openDirFs(path);
  writeTree(layer, dir);
}

needs("root", "overlayfs").describe("overlay2 mode", () => {
  it(
    `plays ${RUNS} random sequences as kernel overlayfs does`,
    () => {
      const sequence = fc.record({
        lowers: fc.array(fc.array(op, { maxLength: 16 }), { minLength: 1, maxLength: 3 }),
        ops: fc.array(op, { minLength: 1, maxLength: 32 }),
      });
      const property = fc.property(sequence, ({ lowers, ops }) => {
        const startedSec = Math.floor(Date.now() / 1000) - 2;
        const layers = makeLayers([GROUND, ...lowers], 1_000_000);
        let lower: MergedTree = UnionFs.create([]).base;
        for (const layer of layers) lower = mergeOnto(lower, layer, "overlay2");
        expect(inMemory(lower, ops, startedSec)).toEqual(onKernel(layers, lower, ops, startedSec));
      });
      const seed = process.env["LAP_DIFF_SEED"];
      fc.assert(property, { numRuns: RUNS, ...(seed === undefined ? {} : { seed: Number(seed) }) });
    },
    30_000 + RUNS * 200,
  );
});
