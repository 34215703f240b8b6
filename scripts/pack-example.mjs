// The example that `pnpm pack:check` runs against the installed packages, in plain JavaScript as a user would write it:
// a filesystem in memory becomes the layer of an image, a fork of that image is changed, and the changes are listed.
import assert from "node:assert/strict";
import { LapError, toByteString } from "@lapstrake/base";
import { OPEN, UnionFs, openImageStore, writeTar } from "@lapstrake/layers";
import { openMemDir } from "@lapstrake/layers/memfs";
import { nodePorts } from "@lapstrake/layers/node";

function writeFile(fs, folder, name, text) {
  const bytes = new TextEncoder().encode(text);
  const { handle } = fs.create(folder, toByteString(name), 0o644, OPEN.write);
  fs.write(handle, bytes, 0, bytes.length, 0);
  fs.close(handle);
}

async function* layerOf(fs) {
  yield* writeTar(fs.diffEntries());
}

const first = UnionFs.create([]);
const etc = first.mkdir(first.root, toByteString("etc"), 0o755);
writeFile(first, etc, "motd", "planks overlap\n");

const store = openImageStore(openMemDir(), nodePorts);
const image = await store.commit({ layer: layerOf(first), config: { Cmd: ["sh"] } });
store.tag(image.id, "example:1");

const container = UnionFs.create(await store.loadTrees(store.resolve("example:1")));
container.unlink(container.lookup(container.root, toByteString("etc")), toByteString("motd"));
writeFile(container, container.root, "new", "");
const changes = container.changes().map(({ kind, path }) => `${kind} ${path}`);
assert.deepEqual(changes.toSorted(), ["A /new", "C /etc", "D /etc/motd"]);
assert.throws(() => store.resolve("nothing:1"), LapError);
