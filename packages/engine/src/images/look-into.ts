// Looking into images without starting anything: their files, and what differs between two. Everything happens in memory, on the
// image's own tree: links of an image lead nowhere outside of it.
import type { Platform } from "@lapstrake/base";
import {
  UnionFs,
  diffLayer,
  diffTrees,
  layerTar,
  mergeLayers,
  nodeFs,
  type Change,
  type MergedTree,
  type NodeFs,
} from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { findImage } from "./operations.ts";

/** An image's files in the shape of node:fs, read-only. Throws `ERR_LAP_NO_IMAGE`, `ERR_LAP_NO_PLATFORM`. */
export async function imageFs(engine: Engine, name: string, platform?: Platform): Promise<NodeFs> {
  return nodeFs(UnionFs.over(await imageTree(engine, name, platform), { readOnly: true }));
}

/** All layers of an image as one tree. Throws `ERR_LAP_NO_IMAGE`, `ERR_LAP_NO_PLATFORM`. */
export async function imageTree(engine: Engine, name: string, platform?: Platform): Promise<MergedTree> {
  const { store } = await engine.images();
  findImage(store, name);
  return mergeLayers(await store.loadTrees(store.resolve(name, platform)));
}

/** Two trees to be compared. */
export interface ImageDifference {
  readonly changes: readonly Change[];
  /** The layer that makes the second of the first. */
  readonly tar: () => AsyncIterable<Uint8Array>;
}

/** What `name` has otherwise than `base`; without a base, what its topmost layer does. */
export async function imageDifference(
  engine: Engine,
  base: string | undefined,
  name: string,
): Promise<ImageDifference> {
  const { store } = await engine.images();
  const layers = await store.loadTrees(findImage(store, name));
  const to = mergeLayers(layers);
  const from = base === undefined ? mergeLayers(layers.slice(0, -1)) : await imageTree(engine, base);
  return { changes: diffTrees(from, to), tar: () => layerTar(diffLayer(from, to)) };
}
