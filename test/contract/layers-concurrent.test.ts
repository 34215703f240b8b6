// Several processes on one store at once: the same image loaded, unpacked and committed by all of them, and garbage collection in
// between. Every one succeeds, nothing is there twice, nothing that is needed goes away.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { filesLayer, layerTar, openImageStore, openSnapshotStore } from "@lapstrake/layers";
import { openMemDir } from "@lapstrake/layers/memfs";
import { nodePorts, openNodeDir } from "@lapstrake/layers/node";

const run = promisify(execFile);
const child = fileURLToPath(new URL("layers-crash-child.ts", import.meta.url));
const PROCESSES = 4;

async function archive(path: string): Promise<void> {
  const store = openImageStore(openMemDir(), nodePorts);
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`data/file-${i}`, `content ${i} `.repeat(500)]),
  );
  const first = await store.commit({ layer: layerTar(filesLayer(files)) });
  const second = await store.commit({ base: first, layer: layerTar(filesLayer({ "data/last": "1" })) });
  store.tag(second.id, "crash:1");
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.save(["crash:1"])) chunks.push(chunk);
  writeFileSync(path, Buffer.concat(chunks));
}

it("processes share a store", async () => {
  const base = mkdtempSync(join(tmpdir(), "lap-shared-"));
  try {
    for (const name of ["images", "layers"]) mkdirSync(join(base, name));
    const tar = join(base, "image.tar");
    await archive(tar);
    const start = (operation: string): Promise<unknown> =>
      run(process.execPath, ["--conditions=@lapstrake/source", "--no-warnings", child, base, operation, "0", tar], {
        timeout: 60_000,
      });
    const root = openNodeDir(base);
    const store = openImageStore(root.openDir("images"), nodePorts);
    const snapshots = openSnapshotStore(root.openDir("layers"), store, nodePorts, { owners: false });

    let loading = true;
    const loads = Promise.all(Array.from({ length: PROCESSES }, () => start("unpack"))).finally(() => {
      loading = false;
    });
    for (let rounds = 0; loading && rounds < 1000; rounds++) {
      store.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await loads;
    expect(store.list().map(({ references }) => references)).toEqual([["crash:1"]]);
    expect(snapshots.list()).toHaveLength(2);
    expect(await store.check()).toEqual([]);

    await Promise.all(Array.from({ length: PROCESSES }, () => start("commit")));
    store.gc();
    expect(store.list().length).toBeGreaterThanOrEqual(2);
    expect(await store.check()).toEqual([]);
    expect(
      root
        .openDir("layers")
        .readdir("")
        .filter(({ name }) => name.startsWith("tmp-")),
    ).toEqual([]);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}, 120_000);
