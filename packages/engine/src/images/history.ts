// How an image came to be, as docker's history shows it: newest first, one line per history entry.
import type { HistoryEntry } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import { findImage } from "./operations.ts";

/** One line of `lap history`. */
export interface HistoryRow {
  /** IMAGE ID of the newest line; the others are `<missing>`. */
  readonly id: string | undefined;
  readonly created: string | undefined;
  readonly createdBy: string;
  /** Bytes of the line's layer, compressed as stored; 0 for lines without one. */
  readonly sizeBytes: number;
  readonly comment: string;
}

/** Lines of an image's history; images without history have a line per layer. */
export async function imageHistory(engine: Engine, name: string): Promise<HistoryRow[]> {
  const { store } = await engine.images();
  const image = findImage(store, name);
  const entries: readonly HistoryEntry[] = image.config.history ?? image.layers.map(() => ({}));
  let layer = 0;
  const rows = entries.map((entry) => {
    const hasLayer = entry.empty_layer !== true;
    const sizeBytes = hasLayer ? (image.layers[layer]?.descriptor.size ?? 0) : 0;
    if (hasLayer) layer++;
    return {
      id: undefined,
      created: entry.created ?? image.config.created,
      createdBy: entry.created_by ?? "",
      sizeBytes,
      comment: entry.comment ?? "",
    };
  });
  return rows.toReversed().map((row, i) => (i === 0 ? { ...row, id: image.id } : row));
}
