// New images from old ones without running anything: squash, rebase, another config. Each returns a stored image without a name.
import { LapError, type ExecConfig, type HistoryEntry } from "@lapstrake/base";
import { layerTar } from "../disk/upper.ts";
import { diffLayer } from "../tree/diff.ts";
import { mergeLayers, mergeOnto } from "../tree/merge.ts";
import type { LayerTree, MergedTree } from "../tree/node.ts";
import type { CommitOptions } from "./commit.ts";
import type { Image } from "./image.ts";
import type { ImageStore } from "./store.ts";

/** Which layers a squash merges. */
export interface SquashOptions {
  /** Layers to keep as they are, from the lowest; default 0: everything becomes one layer. */
  readonly keep?: number;
  readonly compression?: CommitOptions["compression"];
  /** RFC 3339; default now. */
  readonly created?: string;
}

/** The same tree in fewer layers. The config stays; the history says what was merged. */
export async function squashImage(store: ImageStore, image: Image, options: SquashOptions = {}): Promise<Image> {
  const keep = options.keep ?? 0;
  if (keep < 0 || keep >= image.layers.length) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_LAYER_COUNT",
      `cannot keep ${keep} of ${image.layers.length} layers`,
    );
  }
  const trees = await store.loadTrees(image);
  const kept = mergeLayers(trees.slice(0, keep));
  const whole = trees.slice(keep).reduce<MergedTree>((tree, layer) => mergeOnto(tree, layer), kept);
  const layer: LayerTree = keep === 0 ? { root: whole.root, hasLinks: whole.links.size > 0 } : diffLayer(kept, whole);
  const base = keep === 0 ? undefined : cutImage(image, keep);
  const { os, architecture, variant } = image.platform;
  return await store.commit({
    base,
    layer: layerTar(layer),
    config: image.config.config,
    author: image.config.author,
    platform: variant === undefined ? { os, architecture } : { os, architecture, variant },
    history: { comment: `squashed ${image.layers.length - keep} layers` },
    annotations: image.manifest.annotations,
    compression: options.compression,
    created: options.created,
  });
}

/** An image's lowest layers as an image value: only the base of a commit, never stored. */
function cutImage(image: Image, count: number): Image {
  const layers = image.layers.slice(0, count);
  const diffIds = layers.map(({ diffID }) => diffID);
  return {
    ...image,
    layers,
    size: unpackedSize(image, count),
    manifest: { ...image.manifest, layers: image.manifest.layers.slice(0, count) },
    config: { ...image.config, rootfs: { type: "layers", diff_ids: diffIds }, history: historyOf(image, count) },
  };
}

/** An estimate by share of compressed bytes: layers are not unpacked again for a number people read. */
function unpackedSize(image: Image, count: number): number {
  const sizes = image.layers.map(({ descriptor }) => descriptor.size);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const part = sizes.slice(0, count).reduce((sum, size) => sum + size, 0);
  return all === 0 ? 0 : Math.round((image.size * part) / all);
}

/** History lines of the lowest `count` layers, empty ones between them included. */
function historyOf(image: Image, count: number): HistoryEntry[] {
  const out: HistoryEntry[] = [];
  let layers = 0;
  for (const entry of image.config.history ?? []) {
    if (entry.empty_layer !== true && ++layers > count) break;
    out.push(entry);
  }
  return out;
}

/** The layers that `image` has above `oldBase`, on `newBase`. Throws `ERR_LAP_NOT_BASE` when `oldBase` is not beneath `image`. */
export async function rebaseImage(store: ImageStore, image: Image, oldBase: Image, newBase: Image): Promise<Image> {
  const isBase = oldBase.layers.every(({ diffID }, i) => image.layers[i]?.diffID === diffID);
  if (!isBase) {
    throw new LapError("invalidArgument", "ERR_LAP_NOT_BASE", "the old base is not what the image stands on", {
      hint: "the layers of the old base must be the lowest layers of the image",
    });
  }
  let result = newBase;
  for (const layer of image.layers.slice(oldBase.layers.length)) {
    const last = result;
    result = await store.commit({
      base: last,
      layer: store.layerStream(layer),
      config: image.config.config,
      history: { comment: "rebased" },
    });
    if (last !== newBase) store.remove(last.id);
  }
  return result;
}

/** The same layers with another config. */
export async function configureImage(
  store: ImageStore,
  image: Image,
  config: ExecConfig,
  history: HistoryEntry = {},
): Promise<Image> {
  return await store.commit({ base: image, config, history, annotations: image.manifest.annotations });
}
