// Manifests, indexes and configs from outside: parsed with bounds and checked before anything believes them
// (OCI image-spec manifest.md, image-index.md, config.md; CVE-2021-41190 for documents that are two things at once).
import {
  LapError,
  MAX_CONFIG_BYTES,
  MAX_LAYERS,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPE,
  isDigest,
  parseJsonObject,
  type CompressionFormat,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type ImageIndex,
  type Manifest,
} from "@lapstrake/base";
import { MAX_INDEX_MANIFESTS } from "../limits.ts";
import { execConfigFault } from "./exec-config.ts";

const INDEX_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE.index, MEDIA_TYPE.dockerList]);
const MANIFEST_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE.manifest, MEDIA_TYPE.dockerManifest]);
const CONFIG_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE.config, MEDIA_TYPE.dockerConfig]);

export function isIndexType(mediaType: string): boolean {
  return INDEX_TYPES.has(mediaType);
}

export function isManifestType(mediaType: string): boolean {
  return MANIFEST_TYPES.has(mediaType);
}

/** True for manifests of images with a root filesystem; other configs make artifacts. */
export function isImageManifest(manifest: Manifest): boolean {
  return CONFIG_TYPES.has(manifest.config.mediaType) && manifest.layers.every(({ mediaType }) => isTarLayer(mediaType));
}

/** True for the media types of filesystem layers. */
function isTarLayer(mediaType: string): boolean {
  return /\.(?:tar|tar\.gzip)$|\.tar\+(?:gzip|zstd)$/.test(mediaType);
}

/** Compression that a layer's media type names; undefined is none. */
export function layerCompression(mediaType: string): CompressionFormat | undefined {
  if (mediaType.endsWith("gzip")) return "gzip";
  return mediaType.endsWith("+zstd") ? "zstd" : undefined;
}

/** Layer compression of bytes by their magic number. */
export function sniffCompression(head: Uint8Array): CompressionFormat | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  return head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd ? "zstd" : undefined;
}

/** A checked descriptor; throws `ERR_LAP_DOCUMENT_INVALID`. */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  const object = value as Partial<Record<keyof Descriptor, unknown>> | null;
  if (typeof object !== "object" || object === null) throw invalid(what, "it is not an object");
  if (typeof object.mediaType !== "string") throw invalid(what, "mediaType is missing");
  if (!isDigest(object.digest)) throw invalid(what, "its digest is not valid");
  if (!Number.isSafeInteger(object.size) || (object.size as number) < 0)
    throw invalid(what, "its size is not a number of bytes");
  return object as Descriptor;
}

/** What the bytes of a target are. */
export type Target =
  | { readonly kind: "index"; readonly index: ImageIndex }
  | { readonly kind: "manifest"; readonly manifest: Manifest };

/** Parses an index or manifest; the media type decides, and the document must not be both. */
export function parseTarget(bytes: Uint8Array, mediaType: string): Target {
  if (isIndexType(mediaType)) return { kind: "index", index: parseIndex(bytes) };
  if (isManifestType(mediaType)) return { kind: "manifest", manifest: parseManifest(bytes) };
  throw invalid("image", `media type "${mediaType.slice(0, 100)}" is neither a manifest nor an index`);
}

export function parseIndex(bytes: Uint8Array): ImageIndex {
  const value = parseJsonObject(bytes, "image index", MAX_MANIFEST_BYTES);
  if ("layers" in value || "config" in value) throw invalid("image index", "it is a manifest too");
  const { manifests } = value;
  if (!Array.isArray(manifests)) throw invalid("image index", "manifests is missing");
  if (manifests.length > MAX_INDEX_MANIFESTS)
    throw invalid("image index", `it has more than ${MAX_INDEX_MANIFESTS} manifests`);
  for (const entry of manifests) parseDescriptor(entry, "image index entry");
  return value as unknown as ImageIndex;
}

export function parseManifest(bytes: Uint8Array): Manifest {
  const value = parseJsonObject(bytes, "manifest", MAX_MANIFEST_BYTES);
  if ("manifests" in value) throw invalid("manifest", "it is an index too");
  if (value["schemaVersion"] !== 2) {
    throw invalid("manifest", `schemaVersion ${JSON.stringify(value["schemaVersion"])} is not supported`);
  }
  parseDescriptor(value["config"], "config descriptor");
  const { layers } = value;
  if (!Array.isArray(layers)) throw invalid("manifest", "layers is missing");
  if (layers.length > MAX_LAYERS) throw invalid("manifest", `it has more than ${MAX_LAYERS} layers`);
  for (const entry of layers) parseDescriptor(entry, "layer descriptor");
  return value as unknown as Manifest;
}

export function parseConfig(bytes: Uint8Array): ImageConfig {
  const value = parseJsonObject(bytes, "image config", MAX_CONFIG_BYTES);
  const rootfs = value["rootfs"] as { type?: unknown; diff_ids?: unknown } | undefined;
  if (typeof rootfs !== "object" || rootfs === null) throw invalid("image config", "rootfs is missing");
  const diffIds = rootfs.diff_ids ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest))
    throw invalid("image config", "rootfs.diff_ids are not digests");
  if (typeof value["os"] !== "string" || typeof value["architecture"] !== "string") {
    throw invalid("image config", "os or architecture is missing");
  }
  const fault = execConfigFault(value["config"]);
  if (fault !== undefined) throw invalid("image config", fault);
  return { ...value, rootfs: { type: "layers", diff_ids: diffIds } } as unknown as ImageConfig;
}

/** Throws unless the config describes as many layers as the manifest has. */
export function checkPair(manifest: Manifest, config: ImageConfig): void {
  const described = config.rootfs.diff_ids.length;
  if (described === manifest.layers.length) return;
  throw invalid("image", `the config describes ${described} layers, the manifest has ${manifest.layers.length}`);
}

/** sha256 chain of diffIDs: config.md "Layer ChainID". */
export function chainIds(diffIds: readonly Digest[], sha256: (text: string) => Digest): Digest[] {
  const out: Digest[] = [];
  for (const diffId of diffIds) {
    const below = out.at(-1);
    out.push(below === undefined ? diffId : sha256(`${below} ${diffId}`));
  }
  return out;
}

function invalid(what: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_DOCUMENT_INVALID", `invalid ${what}: ${why}`);
}
