// Taking away what nothing uses: stopped containers, images without containers. What came back is measured on the disk.
import { isLapError, type Digest } from "@lapstrake/base";
import type { ContainerSummary } from "./containers/list.ts";
import type { Engine } from "./engine.ts";
import { emitPrune } from "./events/prune-event.ts";
import { listImages, removeImage, type ImageRow } from "./images/operations.ts";
import { diskBytes } from "./state/disk-bytes.ts";

const ENDED = new Set(["created", "exited"]);

/** What was removed, and bytes on the disk that came back. */
export interface PrunedContainers {
  readonly ids: readonly string[];
  readonly bytes: number;
}

/** Removes every ended container that `isWanted` takes. */
export async function pruneContainers(
  engine: Engine,
  isWanted: (summary: ContainerSummary) => boolean = () => true,
): Promise<PrunedContainers> {
  const ids: string[] = [];
  let bytes = 0;
  for (const summary of engine.list()) {
    if (!ENDED.has(summary.status.state) || !isWanted(summary)) continue;
    const size = diskBytes(engine.dir(summary.record));
    if (!(await didRemove(engine.remove(summary.record)))) continue;
    bytes += size;
    ids.push(summary.record.id);
  }
  emitPrune(engine.context, "container", bytes);
  return { ids, bytes };
}

/** What was removed, and bytes on the disk that came back. */
export interface PrunedImages {
  readonly untagged: readonly string[];
  readonly deleted: readonly Digest[];
  readonly bytes: number;
}

/** Removes images without containers that `isWanted` takes: those without a name, or with `all` named ones too. */
export async function pruneImages(
  engine: Engine,
  all: boolean,
  isWanted: (row: ImageRow) => boolean = () => true,
): Promise<PrunedImages> {
  const untagged: string[] = [];
  const deleted: Digest[] = [];
  const before = imageBytes(engine);
  const used = new Set(engine.list().map(({ record }) => record.image.id));
  for (const row of await listImages(engine)) {
    if (used.has(row.id) || (!all && row.repository !== undefined) || !isWanted(row)) continue;
    const removed = await removedImage(engine, row);
    untagged.push(...removed.untagged);
    deleted.push(...removed.deleted, ...removed.layers);
  }
  const { store } = await engine.images();
  store.gc();
  const bytes = Math.max(0, before - imageBytes(engine));
  emitPrune(engine.context, "image", bytes);
  return { untagged, deleted, bytes };
}

function imageBytes(engine: Engine): number {
  const { images, layers } = engine.context.paths;
  return diskBytes(images) + diskBytes(layers);
}

/** Removes by name, or by id where there is none; what somebody took meanwhile is left. */
async function removedImage(engine: Engine, { id, repository, tag, digest }: ImageRow): ReturnType<typeof removeImage> {
  const byDigest = digest === undefined ? id : `${repository}@${digest}`;
  const name = repository === undefined ? id : tag === undefined ? byDigest : `${repository}:${tag}`;
  try {
    return await removeImage(engine, name, { force: false });
  } catch (error) {
    if (isLapError(error, "conflict") || isLapError(error, "notFound"))
      return { untagged: [], deleted: [], layers: [] };
    throw error;
  }
}

/** False when it was started or removed meanwhile. */
async function didRemove(removal: Promise<void>): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    if (isLapError(error, "conflict") || isLapError(error, "notFound")) return false;
    throw error;
  }
}
