// An image's layers in memory, for the Wasm sandbox and for comparing with what a guest changed. Needs no kernel.
import { join } from "node:path";
import type { Digest } from "@lapstrake/base";
import type { LayerTree } from "@lapstrake/layers";
import { openNodeDir, openStore } from "./open.ts";

/** Layers of the image with this id, lowest first. Throws `ERR_LAP_NO_IMAGE` when it is gone. */
export async function imageTrees(root: string, id: Digest): Promise<LayerTree[]> {
  using dir = openNodeDir(join(root, "images"));
  const store = openStore(dir);
  return store.loadTrees(store.resolve(id));
}
