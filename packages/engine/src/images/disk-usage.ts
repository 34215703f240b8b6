// What a store takes on the disk, for `system df`: allocated bytes of blobs and extracted layers, what images share counted once.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { errorCode, digestAlgorithm, digestHex, type Digest } from "@lapstrake/base";
import { isImageDamage, type Image } from "@lapstrake/layers";
import type { ContainerSummary } from "../containers/list.ts";
import type { Engine } from "../engine.ts";
import { diskBytes } from "../state/disk-bytes.ts";
import { dirOf } from "../state/containers.ts";
import { volumesUsage } from "../volumes/manage.ts";
import type { StorePaths } from "../state/layout.ts";

/** One image; `bytes` is the sum of the other two. */
export interface ImageUsage {
  readonly id: Digest;
  /** Familiar names. */
  readonly references: readonly string[];
  /** RFC 3339. */
  readonly created: string | undefined;
  readonly bytes: number;
  /** Of layers that another image has too. */
  readonly sharedBytes: number;
  readonly uniqueBytes: number;
  /** How many containers are of it. */
  readonly containers: number;
}

/** One container with everything in its folder: changes, log, record. */
export interface ContainerDiskUsage extends ContainerSummary {
  readonly bytes: number;
  /** How many named or anonymous volumes it uses. */
  readonly volumes: number;
}

/** One volume. */
export interface VolumeUsage {
  readonly name: string;
  /** Containers that use it. */
  readonly links: number;
  readonly bytes: number;
}

/** Sizes in bytes on the disk. */
export interface DiskUsage {
  readonly images: readonly ImageUsage[];
  /** Everything that images take, each file once. */
  readonly imageBytes: number;
  /** Of it what only images without containers need. */
  readonly imageReclaimableBytes: number;
  readonly containers: readonly ContainerDiskUsage[];
  readonly volumes: readonly VolumeUsage[];
}

/** None for one that is damaged: it hides no other, and what it takes is in the sum of all. */
function wholeImage({ context }: Engine, resolve: () => Image): Image[] {
  try {
    return [resolve()];
  } catch (error) {
    if (!isImageDamage(error)) throw error;
    context.logger.warn(error.message);
    return [];
  }
}

/** Walks the store. */
export async function diskUsage(engine: Engine): Promise<DiskUsage> {
  const { paths } = engine.context;
  const { store } = await engine.images();
  const summaries = engine.list();
  const images = store.list().flatMap(({ id }) => wholeImage(engine, () => store.resolve(id)));
  const parts = new PartSizes(paths);
  const users = (image: Image): number => summaries.filter(({ record }) => record.image.id === image.id).length;
  const partsOf = new Map(images.map((image) => [image, partNames(image)]));
  const countOf = (part: string): number => images.filter((image) => partsOf.get(image)!.includes(part)).length;
  const rows = images.map((image) => {
    const own = partsOf.get(image)!;
    const sharedBytes = parts.sum(own.filter((part) => countOf(part) > 1));
    const uniqueBytes = parts.sum(own.filter((part) => countOf(part) === 1));
    const { id, references } = image;
    const { created } = image.config;
    return {
      id,
      references,
      created,
      bytes: sharedBytes + uniqueBytes,
      sharedBytes,
      uniqueBytes,
      containers: users(image),
    };
  });
  const needed = new Set(images.filter((image) => users(image) > 0).flatMap((image) => partsOf.get(image)!));
  const imageBytes = below(join(paths.images, "blobs"), 2) + below(paths.layers, 1);
  return {
    images: rows,
    imageBytes,
    imageReclaimableBytes: imageBytes - parts.sum([...needed]) - parts.sum([...needed].flatMap(besideLayer)),
    containers: summaries.map((summary) => ({
      ...summary,
      bytes: diskBytes(dirOf(paths, summary.record)),
      volumes: volumesOf(summary).size,
    })),
    volumes: volumesUsage(engine).map(({ record, users, sizeBytes }) => ({
      name: record.name,
      links: users,
      bytes: sizeBytes,
    })),
  };
}

function volumesOf({ record: { mounts = [] } }: ContainerSummary): Set<string> {
  return new Set(mounts.flatMap(({ type, source }) => (type === "volume" ? [source] : [])));
}

/** Paths beneath the store's root that an image needs: blobs and extracted layers. */
function partNames(image: Image): string[] {
  const blob = (digest: Digest): string => `images/blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
  const documents = [image.target.digest, image.manifestDescriptor.digest, image.manifest.config.digest];
  const blobs = [...documents, ...image.manifest.layers.map(({ digest }) => digest)].map(blob);
  return [...new Set([...blobs, ...image.layers.map(({ chainID }) => `layers/${digestHex(chainID)}`)])];
}

/** What lies beside an image's topmost layer: that which gives mounts their places, and all layers as one for copies. */
function besideLayer(part: string): string[] {
  if (!part.startsWith("layers/")) return [];
  const name = part.slice("layers/".length);
  return [`layers/init-${name}`, `layers/flat-${name}`];
}

/** Bytes of everything `depth` levels beneath a folder, with what is in it. */
function below(folder: string, depth: number): number {
  return listed(folder).reduce((sum, name) => {
    const path = join(folder, name);
    return sum + (depth === 1 ? diskBytes(path) : below(path, depth - 1));
  }, 0);
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Measures each path once. */
class PartSizes {
  readonly #root: string;
  readonly #known = new Map<string, number>();

  constructor(paths: StorePaths) {
    this.#root = paths.root;
  }

  sum(parts: readonly string[]): number {
    return parts.reduce((sum, part) => sum + this.#size(part), 0);
  }

  #size(part: string): number {
    const known = this.#known.get(part);
    if (known !== undefined) return known;
    const bytes = diskBytes(join(this.#root, part));
    this.#known.set(part, bytes);
    return bytes;
  }
}
