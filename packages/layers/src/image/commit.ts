// A changed filesystem -> a new image: one layer more, a changed config, one more line of history (OCI image-spec config.md).
import {
  MEDIA_TYPE,
  digestOf,
  formatTimestamp,
  type CompressionFormat,
  type Descriptor,
  type Digest,
  type ExecConfig,
  type HistoryEntry,
  type ImageConfig,
  type Manifest,
  type Platform,
} from "@lapstrake/base";
import type { BlobStore } from "./blobs.ts";
import type { Image } from "./image.ts";
import { once } from "./load.ts";
import type { StorePorts } from "./ports.ts";
import type { ImageRecord } from "./records.ts";

/** What a new image is made of. */
export interface CommitOptions {
  /** The image it stands on; absent for a one-layer image. */
  readonly base?: Image | undefined;
  /** The uncompressed tar of the new layer; absent when only the config changes. */
  readonly layer?: AsyncIterable<Uint8Array> | undefined;
  /** Fields that replace those of the base's config. */
  readonly config?: ExecConfig | undefined;
  readonly author?: string | undefined;
  readonly history?: HistoryEntry | undefined;
  /** Annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Compression of the new layer; default gzip. */
  readonly compression?: CompressionFormat | "none" | undefined;
  /** Level of that compression; default fast. */
  readonly level?: number | undefined;
  /** Platform of a new image without base; default the store's. */
  readonly platform?: Platform | undefined;
  /** RFC 3339 creation time; default now. */
  readonly created?: string | undefined;
}

interface NewLayer {
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
  readonly unpackedBytes: number;
}

/** Stores the new blobs; the record that makes them an image is returned. */
export async function commitImage(blobs: BlobStore, ports: StorePorts, options: CommitOptions): Promise<ImageRecord> {
  const layer = options.layer === undefined ? undefined : await storeLayer(blobs, ports, options.layer, options);
  const config = newConfig(ports, options, layer);
  const configBlob = await blobs.ingest(once(json(config)));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: { mediaType: MEDIA_TYPE.config, digest: configBlob.digest, size: configBlob.size },
    layers: [...(options.base?.manifest.layers ?? []), ...(layer === undefined ? [] : [layer.descriptor])],
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  };
  const { digest, size } = await blobs.ingest(once(json(manifest)));
  const target: Descriptor = { mediaType: MEDIA_TYPE.manifest, digest, size };
  const platform: Platform = platformOf(config);
  const unpackedBytes = (options.base?.size ?? 0) + (layer?.unpackedBytes ?? 0);
  const variant = { id: configBlob.digest, manifest: target, platform, unpackedBytes };
  return { version: 1, target, variants: [variant], addedSec: ports.clock.now().sec };
}

function platformOf({ os, architecture, variant }: ImageConfig): Platform {
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/** Compresses and stores a layer, with both digests from one pass. */
async function storeLayer(
  blobs: BlobStore,
  ports: StorePorts,
  tar: AsyncIterable<Uint8Array>,
  { compression = "gzip", level }: Pick<CommitOptions, "compression" | "level">,
): Promise<NewLayer> {
  const hasher = ports.hash.create("sha256");
  let unpackedBytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of tar) {
      hasher.update(chunk);
      unpackedBytes += chunk.length;
      yield chunk;
    }
  }
  const packed = compression === "none" ? counted() : ports.compression.compress(compression, counted(), level);
  const { digest, size } = await blobs.ingest(packed);
  const mediaType = { none: MEDIA_TYPE.layer, gzip: MEDIA_TYPE.layerGzip, zstd: MEDIA_TYPE.layerZstd }[compression];
  return { descriptor: { mediaType, digest, size }, diffID: digestOf(hasher.hex()), unpackedBytes };
}

function newConfig(ports: StorePorts, options: CommitOptions, layer: NewLayer | undefined): ImageConfig {
  const base = options.base?.config;
  const created = options.created ?? timestamp(ports);
  const history: HistoryEntry = {
    created,
    ...options.history,
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  const { os, architecture } = options.platform ?? ports.platform ?? { os: "linux", architecture: "amd64" };
  return {
    ...(base ?? { os, architecture }),
    created,
    ...(options.author === undefined ? {} : { author: options.author }),
    config: { ...base?.config, ...options.config },
    rootfs: {
      type: "layers",
      diff_ids: [...(base?.rootfs.diff_ids ?? []), ...(layer === undefined ? [] : [layer.diffID])],
    },
    history: [...(base?.history ?? []), history],
  };
}

function timestamp({ clock }: StorePorts): string {
  const { sec, nsec } = clock.now();
  return formatTimestamp(sec, nsec);
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
