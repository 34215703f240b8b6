// Images with the platforms they are for and what each takes: what `lap images --tree` shows.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { digestHex, formatPlatform, type Digest } from "@lapstrake/base";
import type { ImageSummary, TargetPlatform } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { listContainers } from "../state/containers.ts";

/** What an image, or one platform of it, is and takes. */
export interface ImageSizes {
  /** Digest of the target, or of the platform's manifest. */
  readonly digest: Digest;
  /** With the extracted layers, if they are. */
  readonly diskBytes: number;
  /** Manifest, config and layers as they are stored, bytes. */
  readonly contentBytes: number;
  /** By a container. */
  readonly isUsed: boolean;
}

/** One platform of an image. */
export interface ImagePlatform extends ImageSizes {
  /** `linux/arm64`. */
  readonly platform: string;
  /** False when its layers are not in the store. */
  readonly isAvailable: boolean;
}

/** One image with its platforms. */
export interface ImageWithPlatforms extends ImageSizes {
  readonly summary: ImageSummary;
  readonly platforms: readonly ImagePlatform[];
}

/** Every image, newest first. */
export async function imagesWithPlatforms(engine: Engine): Promise<ImageWithPlatforms[]> {
  const { store } = await engine.images();
  const used = new Set(listContainers(engine.context.paths).map(({ image }) => image.id));
  return store.list().map((summary) => {
    const platforms = store.platforms(summary.target.digest).map((each) => sizesOf(engine, store, each, used));
    return {
      summary,
      platforms,
      digest: summary.target.digest,
      diskBytes: sum(platforms.map(({ diskBytes }) => diskBytes)),
      contentBytes: sum(platforms.map(({ contentBytes }) => contentBytes)),
      isUsed: platforms.some(({ isUsed }) => isUsed),
    };
  });
}

type Store = Awaited<ReturnType<Engine["images"]>>["store"];

function sizesOf(
  engine: Engine,
  store: Store,
  { manifest: descriptor, platform, variant }: TargetPlatform,
  used: ReadonlySet<Digest | undefined>,
): ImagePlatform {
  const base = { digest: descriptor.digest, platform: formatPlatform(platform) };
  if (variant === undefined) return { ...base, isAvailable: false, diskBytes: 0, contentBytes: 0, isUsed: false };
  const { manifest, layers } = store.resolve(variant.id, platform);
  const contentBytes = sum([descriptor, manifest.config, ...manifest.layers].map(({ size }) => size));
  const top = layers.at(-1)?.chainID;
  const isExtracted = top !== undefined && existsSync(join(engine.context.paths.layers, digestHex(top)));
  return {
    ...base,
    isAvailable: true,
    contentBytes,
    diskBytes: contentBytes + (isExtracted ? variant.unpackedBytes : 0),
    isUsed: used.has(variant.id),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
