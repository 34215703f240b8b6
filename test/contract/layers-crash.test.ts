// SIGKILL at every failpoint of load, unpack, extract, commit and remove: each object is absent or whole, a plain retry works, and
// after repair the check is clean. LAP_CRASH_ALL=1 sweeps every hit (two minutes); without it, a few spread over the operation.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BytesContent,
  LayerBuilder,
  TreeNode,
  layerTar,
  openImageStore,
  openSnapshotStore,
  type ImageStore,
} from "@lapstrake/layers";
import { nodePorts, openNodeDir } from "@lapstrake/layers/node";

const child = fileURLToPath(new URL("layers-crash-child.ts", import.meta.url));
let base = "";
let archive = "";

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "lap-crash-"));
  archive = join(base, "image.tar");
  for (const name of ["empty", "loaded"])
    for (const part of ["images", "layers"]) mkdirSync(join(base, name, part), { recursive: true });
  const store = open("loaded").store;
  const first = await store.commit({ layer: layer("a", 300_000) });
  const image = await store.commit({ base: first, layer: layer("b", 10) });
  store.remove(first.id);
  store.tag(image.id, "crash:1");
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.save(["crash:1"])) chunks.push(chunk);
  writeFileSync(archive, Buffer.concat(chunks));
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

function layer(name: string, size: number): AsyncIterable<Uint8Array> {
  const builder = new LayerBuilder();
  builder.add(
    name,
    new TreeNode({ type: "file", mode: 0o644, content: new BytesContent(new Uint8Array(size).fill(7)) }),
  );
  return layerTar(builder.finish());
}

function open(name: string): { store: ImageStore; snapshots: ReturnType<typeof openSnapshotStore> } {
  const root = openNodeDir(join(base, name));
  const store = openImageStore(root.openDir("images"), nodePorts);
  return { store, snapshots: openSnapshotStore(root.openDir("layers"), store, nodePorts, { owners: false }) };
}

function run(name: string, operation: string, at: number): { killed: boolean; points: number } {
  const args = [
    "--conditions=@lapstrake/source",
    "--no-warnings",
    child,
    join(base, name),
    operation,
    String(at),
    archive,
  ];
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
  if (signal !== "SIGKILL" && status !== 0) throw new Error(stderr);
  return { killed: signal === "SIGKILL", points: Number(/points (\d+)/.exec(stdout)?.[1] ?? 0) };
}

const PLAN: readonly (readonly [operation: string, start: string])[] = [
  ["load", "empty"],
  ["unpack", "empty"],
  ["extract", "loaded"],
  ["commit", "loaded"],
  ["remove", "loaded"],
];

const MOST_POINTS = 3;

describe("SIGKILL at every failpoint", () => {
  it.each(PLAN)(
    "%s",
    async (operation, start) => {
      const fresh = (name: string): void =>
        cpSync(join(base, start), join(base, name), { recursive: true, preserveTimestamps: true });
      fresh(`${operation}-whole`);
      const { points } = run(`${operation}-whole`, operation, 0);
      expect(points).toBeGreaterThan(0);
      const step = process.env["LAP_CRASH_ALL"] === undefined ? Math.ceil(points / MOST_POINTS) : 1;
      for (let at = 1; at <= points; at += step) {
        const name = `${operation}-${at}`;
        fresh(name);
        expect(run(name, operation, at).killed).toBe(true);
        await survived(name, operation, at);
        execFileSync("rm", ["-rf", join(base, name)]);
      }
    },
    120_000,
  );

  async function survived(name: string, operation: string, at: number): Promise<void> {
    const { store, snapshots } = open(name);
    const damage = (await store.check()).filter(({ kind }) => kind !== "unreferenced" && kind !== "leftover");
    expect({ at, damage }).toEqual({ at, damage: [] });
    // Whatever is listed is whole.
    for (const { id } of store.list()) await store.loadTrees(store.resolve(id));
    for (const hex of snapshots.list())
      expect(snapshots.usage(`sha256:${hex}` as Parameters<typeof snapshots.usage>[0])).toBeGreaterThan(0);
    expect(run(name, operation, 0).killed).toBe(false);
    await store.check({ repair: true });
    expect(await store.check()).toEqual([]);
    if (operation === "unpack") expect(snapshots.list()).toHaveLength(2);
  }
});
