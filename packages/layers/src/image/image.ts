// An image of the store: one platform's manifest with its config and layers. Plain data.
import {
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  familiarReference,
  parseReference,
  type Descriptor,
  type Digest,
  type HashPort,
  type ImageConfig,
  type Manifest,
  type Platform,
} from "@lapstrake/base";
import type { BlobStore } from "./blobs.ts";
import { WASM_ARTIFACT_ENTRYPOINT, isWasmArtifact } from "./wasm-artifact.ts";
import { chainIds, checkPair, isImageManifest, parseConfig, parseManifest } from "./documents.ts";
import type { ImageRecord, ImageVariant } from "./records.ts";

/** One layer of an image. */
export interface ImageLayer {
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar. */
  readonly diffID: Digest;
  /** Digest of this layer with all below: names its extracted directory. */
  readonly chainID: Digest;
}

/** One platform of a stored image. */
export interface Image {
  /** Config digest: the IMAGE ID. */
  readonly id: Digest;
  /** Familiar names: `alpine:3.20`. */
  readonly references: readonly string[];
  /** What the names point to: the index of a multi-platform image, else the manifest. */
  readonly target: Descriptor;
  readonly manifestDescriptor: Descriptor;
  readonly manifest: Manifest;
  /** Empty (`os` and `architecture` only) for artifacts. */
  readonly config: ImageConfig;
  /** Lowest first; [] for artifacts, whose blobs are in `manifest.layers`. */
  readonly layers: readonly ImageLayer[];
  /** False for artifacts: nothing to mount. */
  readonly hasRootfs: boolean;
  readonly platform: Platform;
  /** Bytes of all layers, unpacked. */
  readonly size: number;
  /** When it came into the store, seconds since the epoch. */
  readonly addedSec: number;
}

/** One row of `lap images`. */
export type ImageSummary = Pick<Image, "id" | "references" | "target" | "platform" | "size" | "addedSec"> & {
  /** RFC 3339 time of the config, when it has one. */
  readonly created: string | undefined;
};

/** Reads an image's documents. Throws `ERR_LAP_BLOB_MISSING`, `ERR_LAP_DIGEST_MISMATCH`, `ERR_LAP_DOCUMENT_INVALID`. */
export function readImage(
  blobs: BlobStore,
  hash: HashPort,
  record: ImageRecord,
  variant: ImageVariant,
  references: readonly string[],
): Image {
  const manifest = parseManifest(blobs.read(variant.manifest.digest, MAX_MANIFEST_BYTES));
  const hasRootfs = isImageManifest(manifest);
  const config = hasRootfs
    ? parseConfig(blobs.read(variant.id, MAX_CONFIG_BYTES))
    : artifactConfig(variant.platform, manifest);
  if (hasRootfs) checkPair(manifest, config);
  return {
    id: variant.id,
    references: references.map((reference) => familiarReference(parseReference(reference))),
    target: record.target,
    manifestDescriptor: variant.manifest,
    manifest,
    config,
    layers: hasRootfs ? layersOf(manifest, config, hash) : [],
    hasRootfs,
    platform: variant.platform,
    size: variant.unpackedBytes,
    addedSec: record.addedSec,
  };
}

/** Layers with their ids. */
export function layersOf(manifest: Manifest, config: ImageConfig, hash: HashPort): ImageLayer[] {
  const diffIds = config.rootfs.diff_ids;
  const encoder = new TextEncoder();
  const chain = chainIds(diffIds, (text) => hash.digest("sha256", encoder.encode(text)));
  return manifest.layers.map((descriptor, i) => ({ descriptor, diffID: diffIds[i]!, chainID: chain[i]! }));
}

/** A config that says where the artifact runs, and what starts when it is a program. */
function artifactConfig({ os, architecture }: Platform, manifest: Manifest): ImageConfig {
  const program = isWasmArtifact(manifest) ? { config: { Entrypoint: WASM_ARTIFACT_ENTRYPOINT } } : {};
  return { os, architecture, ...program, rootfs: { type: "layers", diff_ids: [] } };
}
