// A target with everything it refers to -> the store. Blobs come in verified; both digests of every layer are checked; only then
// is the record written, and the names after it (OCI image-spec descriptor.md, config.md "DiffID").
import {
  LapError,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  isWasmPlatform,
  normalizePlatform,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Manifest,
  type Platform,
  type ProgressSink,
} from "@lapstrake/base";
import { MAX_INDEX_DEPTH } from "../limits.ts";
import { layersOf, type ImageLayer } from "./image.ts";
import { mapLimit } from "./map-limit.ts";
import type { BlobStore } from "./blobs.ts";
import {
  checkPair,
  isImageManifest,
  isIndexType,
  isManifestType,
  layerCompression,
  parseConfig,
  parseTarget,
} from "./documents.ts";
import { verified } from "./layer-stream.ts";
import type { StorePorts } from "./ports.ts";
import type { ImageRecord, ImageVariant } from "./records.ts";
import type { BlobSource } from "./source.ts";

/** Takes layers while they are verified, so that they are decompressed once; the snapshot store is one. */
export interface LayerUnpacker {
  has(chainID: Digest): boolean;
  /** Reads `tar` to its end, where a wrong digest throws; only then the layer may appear. `below`: lowest first, all unpacked. */
  extract(
    layer: ImageLayer,
    below: readonly ImageLayer[],
    tar: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void>;
}

/** What an import reports and obeys. */
export interface ImportOptions {
  /** Unpacks the layers of Linux images on the way in. */
  readonly unpack?: LayerUnpacker | undefined;
  readonly progress?: ProgressSink | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PARALLEL_LAYERS = 2;

export class Importer {
  readonly #blobs: BlobStore;
  readonly #ports: StorePorts;
  readonly #source: BlobSource;
  readonly #options: ImportOptions;
  readonly #coming = new Map<Digest, Promise<void>>();
  readonly #known: ReadonlyMap<string, ImageVariant>;

  /** `known`: variants by manifest digest whose layers were verified before. */
  constructor(
    blobs: BlobStore,
    ports: StorePorts,
    source: BlobSource,
    known: ReadonlyMap<string, ImageVariant>,
    options: ImportOptions,
  ) {
    this.#blobs = blobs;
    this.#ports = ports;
    this.#source = source;
    this.#known = known;
    this.#options = options;
  }

  /** Brings in a target; throws unless at least one of its images is whole. */
  async run(target: Descriptor): Promise<ImageRecord> {
    const variants = await this.#target(target, 0, undefined);
    if (variants.length === 0) {
      throw new LapError("notFound", "ERR_LAP_BLOB_MISSING", `no image of ${target.digest} is complete`);
    }
    return { version: 1, target: bare(target), variants, addedSec: this.#ports.clock.now().sec };
  }

  async #target(descriptor: Descriptor, depth: number, hint: Platform | undefined): Promise<ImageVariant[]> {
    this.#options.signal?.throwIfAborted();
    if (depth > MAX_INDEX_DEPTH)
      throw new LapError("invalidArgument", "ERR_LAP_LIMIT", "image indexes are nested too deep");
    if (descriptor.size > MAX_MANIFEST_BYTES) {
      throw new LapError(
        "resourceExhausted",
        "ERR_LAP_LIMIT",
        `manifest ${descriptor.digest} has ${descriptor.size} bytes, more than ${MAX_MANIFEST_BYTES}`,
      );
    }
    await this.#blob(descriptor);
    const document = parseTarget(this.#blobs.read(descriptor.digest, MAX_MANIFEST_BYTES), descriptor.mediaType);
    if (document.kind === "manifest") return [await this.#manifest(descriptor, document.manifest, hint)];
    const variants: ImageVariant[] = [];
    for (const entry of document.index.manifests) variants.push(...(await this.#entry(entry, depth)));
    return variants;
  }

  /** An index entry whose blobs the source does not have is another platform's, left out of the archive. */
  async #entry(entry: Descriptor, depth: number): Promise<ImageVariant[]> {
    if (!isIndexType(entry.mediaType) && !isManifestType(entry.mediaType)) return [];
    try {
      return await this.#target(entry, depth + 1, entry.platform);
    } catch (error) {
      if (error instanceof LapError && error.code === "ERR_LAP_BLOB_MISSING") return [];
      throw error;
    }
  }

  /** Layers are checked and unpacked while those above them still arrive. */
  async #manifest(descriptor: Descriptor, manifest: Manifest, hint: Platform | undefined): Promise<ImageVariant> {
    await this.#blob(manifest.config);
    const arriving = mapLimit(manifest.layers, PARALLEL_LAYERS, (layer) => this.#layerBlob(layer));
    const checking = this.#variant(descriptor, manifest, hint).catch((error: unknown) => {
      this.#source.abandon?.(error);
      throw error;
    });
    const [variant, arrived] = await Promise.allSettled([checking, arriving]);
    if (arrived.status === "rejected") throw arrived.reason;
    if (variant.status === "rejected") throw variant.reason;
    return variant.value;
  }

  async #variant(descriptor: Descriptor, manifest: Manifest, hint: Platform | undefined): Promise<ImageVariant> {
    const known = this.#known.get(descriptor.digest);
    if (known !== undefined) return known;
    const id = manifest.config.digest;
    if (!isImageManifest(manifest)) {
      const unpackedBytes = manifest.layers.reduce((sum, { size }) => sum + size, 0);
      return {
        id,
        manifest: bare(descriptor),
        platform: normalizePlatform(hint ?? this.#artifactPlatform(manifest)),
        unpackedBytes,
      };
    }
    const config = parseConfig(this.#blobs.read(id, MAX_CONFIG_BYTES));
    checkPair(manifest, config);
    const unpackedBytes = await this.#verifyLayers(manifest, config);
    return { id, manifest: bare(descriptor), platform: normalizePlatform(config), unpackedBytes };
  }

  /** Wasm artifacts say in their config where they run. */
  #artifactPlatform({ config }: Manifest): Platform {
    if (config.size > MAX_CONFIG_BYTES) return { os: "unknown", architecture: "unknown" };
    try {
      const { os, architecture } = JSON.parse(
        new TextDecoder().decode(this.#blobs.read(config.digest, MAX_CONFIG_BYTES)),
      ) as Partial<ImageConfig>;
      return {
        os: typeof os === "string" ? os : "unknown",
        architecture: typeof architecture === "string" ? architecture : "unknown",
      };
    } catch (error) {
      if (error instanceof SyntaxError) return { os: "unknown", architecture: "unknown" };
      throw error;
    }
  }

  async #layerBlob(layer: Descriptor): Promise<void> {
    this.#tell(layer, "Loading layer", 0);
    await this.#blob(layer);
    this.#tell(layer, "Loading layer", layer.size);
  }

  /** The blob is in the store afterwards; throws `ERR_LAP_BLOB_MISSING`. Asked twice, it comes once. */
  async #blob(descriptor: Descriptor): Promise<void> {
    const coming = this.#coming.get(descriptor.digest) ?? this.#bring(descriptor);
    this.#coming.set(descriptor.digest, coming);
    await coming;
  }

  async #bring(descriptor: Descriptor): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const present = this.#blobs.size(descriptor.digest);
    if (present === descriptor.size && this.#blobs.touch(descriptor.digest, this.#ports.clock.now())) return;
    const staged = await this.#source.stage(descriptor);
    if (staged === undefined) {
      throw new LapError(
        "notFound",
        "ERR_LAP_BLOB_MISSING",
        `blob ${descriptor.digest} (${descriptor.mediaType}) is missing`,
      );
    }
    this.#blobs.publish(staged);
  }

  async #verifyLayers(manifest: Manifest, config: ImageConfig): Promise<number> {
    const { unpack } = this.#options;
    if (unpack !== undefined && !isWasmPlatform(config))
      return await this.#unpackLayers(layersOf(manifest, config, this.#ports.hash), unpack);
    const sizes = await mapLimit(manifest.layers, PARALLEL_LAYERS, async (layer, i) => {
      const diffID = config.rootfs.diff_ids[i]!;
      await this.#blob(layer);
      if (layer.digest === diffID && layerCompression(layer.mediaType) === undefined) return layer.size;
      this.#tell(layer, "Verifying Checksum", 0);
      return await this.#unpackedSize(layer, diffID);
    });
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** In order, because a layer may depend on what is below; decompression runs on threads meanwhile. */
  async #unpackLayers(layers: readonly ImageLayer[], unpack: LayerUnpacker): Promise<number> {
    let total = 0;
    for (const [i, layer] of layers.entries()) {
      await this.#blob(layer.descriptor);
      if (unpack.has(layer.chainID)) {
        total += await this.#unpackedSize(layer.descriptor, layer.diffID);
        continue;
      }
      const count = { bytes: 0 };
      this.#tell(layer.descriptor, "Extracting", 0);
      await unpack.extract(
        layer,
        layers.slice(0, i),
        this.#tar(layer.descriptor, layer.diffID, count),
        this.#options.signal,
      );
      this.#tell(layer.descriptor, "Pull complete", layer.descriptor.size);
      total += count.bytes;
    }
    return total;
  }

  async #unpackedSize(layer: Descriptor, diffID: Digest): Promise<number> {
    const count = { bytes: 0 };
    for await (const _chunk of this.#tar(layer, diffID, count)) this.#options.signal?.throwIfAborted();
    return count.bytes;
  }

  /** The uncompressed layer; the blob was hashed when it came in, the tar is hashed here. */
  async *#tar(
    layer: Descriptor,
    diffID: Digest,
    count: { bytes: number },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const format = layerCompression(layer.mediaType);
    const raw = this.#blobs.streamUnverified(layer.digest);
    const tar = format === undefined ? raw : this.#ports.compression.decompress(format, raw);
    for await (const chunk of verified(tar, this.#ports, diffID)) {
      count.bytes += chunk.length;
      yield chunk;
    }
  }

  #tell({ digest, size }: Descriptor, status: string, current: number): void {
    this.#options.progress?.({ id: digest, status, current, total: size });
  }
}

/** A descriptor without what only its place said (names, platform). */
function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
