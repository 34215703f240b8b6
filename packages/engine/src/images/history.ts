// How an image came to be, as docker's history shows it: newest first, one line per history entry.
import type { Digest, HistoryEntry, ImageConfig } from "@lapstrake/base";
import type { Image } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { findImage } from "./operations.ts";

/** One line of `lap history`. */
export interface HistoryRow {
  /** The image that ends with this line, when it is here; the others are `<missing>`. */
  readonly id: Digest | undefined;
  readonly created: string | undefined;
  readonly createdBy: string;
  /** Bytes of the line's layer, compressed as stored; 0 for lines without one. */
  readonly sizeBytes: number;
  readonly comment: string;
  /** Names of the image of this line. */
  readonly references: readonly string[];
}

/** Lines of an image's history; images without history have a line per layer. */
export async function imageHistory(engine: Engine, name: string): Promise<HistoryRow[]> {
  const { store } = await engine.images();
  const image = findImage(store, name);
  const entries: readonly HistoryEntry[] = image.config.history ?? image.layers.map(() => ({}));
  const others = store.list().map(({ id }) => store.resolve(id));
  let layer = 0;
  const rows = entries.map((entry, at) => {
    const hasLayer = entry.empty_layer !== true;
    const sizeBytes = hasLayer ? (image.layers[layer]?.descriptor.size ?? 0) : 0;
    if (hasLayer) layer++;
    const own = at === entries.length - 1 ? image : others.find((each) => isAncestor(each, image, at + 1, layer));
    return {
      id: own?.id,
      created: entry.created ?? image.config.created,
      createdBy: entry.created_by ?? "",
      sizeBytes,
      comment: entry.comment ?? "",
      references: own?.references ?? [],
    };
  });
  return rows.toReversed();
}

/** True when `older` is what `image` was after `lines` of its history and `layers` of its layers. */
function isAncestor(older: Image, image: Image, lines: number, layers: number): boolean {
  const [own, whole] = [older.config.history ?? [], image.config.history ?? []];
  if (own.length !== lines || older.layers.length !== layers) return false;
  const sameLayers = older.layers.every(({ diffID }, i) => diffID === image.layers[i]?.diffID);
  return sameLayers && own.every((entry, i) => sameEntry(entry, whole[i]));
}

type Entry = NonNullable<ImageConfig["history"]>[number];

function sameEntry(a: Entry, b: Entry | undefined): boolean {
  return a.created === b?.created && a.created_by === b?.created_by && a.comment === b?.comment;
}
