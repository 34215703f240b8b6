// Runs one operation on a store in a directory and kills itself (SIGKILL) at the n-th failpoint: the other half of layers-crash.test.ts.
import { readFileSync } from "node:fs";
import {
  BytesContent,
  LayerBuilder,
  TreeNode,
  layerTar,
  openImageStore,
  openSnapshotStore,
  setFailpointHook,
} from "@lapstrake/layers";
import { nodePorts, openNodeDir } from "@lapstrake/layers/node";

const [dir, operation, at, archive] = process.argv.slice(2) as [string, string, string, string];
let hits = 0;
setFailpointHook(() => {
  if (++hits === Number(at)) process.kill(process.pid, "SIGKILL");
});

const root = openNodeDir(dir);
const store = openImageStore(root.openDir("images"), nodePorts);
const snapshots = openSnapshotStore(root.openDir("layers"), store, nodePorts, { owners: false });

async function* file(): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(readFileSync(archive));
}

function layer(): AsyncIterable<Uint8Array> {
  const builder = new LayerBuilder();
  builder.add(
    "committed",
    new TreeNode({ type: "file", mode: 0o644, content: new BytesContent(new Uint8Array(5000)) }),
  );
  return layerTar(builder.finish());
}

async function run(): Promise<void> {
  if (operation === "load") await store.load({ kind: "stream", stream: file() });
  else if (operation === "unpack") await store.load({ kind: "stream", stream: file() }, { unpack: snapshots });
  else if (operation === "extract") await snapshots.ensure(store.resolve("crash:1"));
  else if (operation === "commit")
    store.tag((await store.commit({ base: store.resolve("crash:1"), layer: layer() })).id, "crash:2");
  else if (operation === "remove") for (const { id } of store.list()) store.remove(id);
  else throw new Error(`unknown operation ${operation}`);
}

await run();
// The test counts how many points the whole operation has.
process.stdout.write(`points ${hits}\n`);
