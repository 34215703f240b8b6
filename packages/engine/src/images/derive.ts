// New images from those that are here, without running anything: squash, rebase, a layer on top. Names are given at the end.
import { createReadStream, statSync } from "node:fs";
import type { CompressionFormat } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { TreeNode, layerTar, readUpper, rebaseImage, squashImage, type Image, type LayerTree } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { checkedTar, unpacked } from "./flat.ts";
import { findImage, tagImage } from "./operations.ts";

/** What a new image is called, and how its new layers are compressed. */
export interface DeriveRequest {
  readonly name?: string | undefined;
  readonly compression?: CompressionFormat | undefined;
}

/** The layers above the `keep` lowest become one. Throws `ERR_LAP_LAYER_COUNT`. */
export async function squashLocal(
  engine: Engine,
  name: string,
  request: DeriveRequest & { readonly keep: number },
): Promise<Image> {
  const { store } = await engine.images();
  const { keep, compression } = request;
  const image = await squashImage(store, findImage(store, name), {
    keep,
    ...(compression === undefined ? {} : { compression }),
  });
  return await named(engine, image, request);
}

/** The layers above `oldBase` on `newBase` instead. Throws `ERR_LAP_NOT_BASE`. */
export async function rebaseLocal(
  engine: Engine,
  images: { readonly image: string; readonly oldBase: string; readonly newBase: string },
  request: DeriveRequest,
): Promise<Image> {
  const { store } = await engine.images();
  const [image, oldBase, newBase] = [images.image, images.oldBase, images.newBase].map((each) =>
    findImage(store, each),
  );
  return await named(engine, await rebaseImage(store, image!, oldBase!, newBase!), request);
}

/** A folder (its files become root's) or a tar file as a further layer. */
export async function appendLocal(engine: Engine, base: string, path: string, request: DeriveRequest): Promise<Image> {
  const { store } = await engine.images();
  const below = findImage(store, base);
  const { compression } = request;
  const image = await withLayerOf(path, (layer) =>
    store.commit({ base: below, layer, compression, history: { comment: `appended ${path}` } }),
  );
  return await named(engine, image, request);
}

/** Hands the uncompressed tar of a folder's files or of a tar file, plain or gzip, to `use`. */
export async function withLayerOf<T>(path: string, use: (tar: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
  if (!statSync(path).isDirectory()) return await use(checkedTar(await unpacked(createReadStream(path))));
  using dir = openDirFs(path);
  return await use(layerTar(ownedByRoot(readUpper(dir))));
}

/** The same tree, whoever built it: what COPY of a Dockerfile does. The tree is fresh and ours to change. */
function ownedByRoot(tree: LayerTree): LayerTree {
  const visit = (node: TreeNode): void => {
    node.uid = 0;
    node.gid = 0;
    for (const child of node.children?.values() ?? []) if (child instanceof TreeNode) visit(child);
  };
  visit(tree.root);
  tree.root.implied = true; // the image keeps its own root folder
  return tree;
}

async function named(engine: Engine, image: Image, { name }: DeriveRequest): Promise<Image> {
  if (name !== undefined) await tagImage(engine, image.id, name);
  return image;
}
