// `docker save` archives, old and new: manifest.json names configs and layer files; we make the OCI manifest they lack.
import {
  LapError,
  MAX_CONFIG_BYTES,
  MAX_LAYERS,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPE,
  parseJson,
  type Descriptor,
  type Manifest,
} from "@lapstrake/base";
import { sniffCompression } from "./documents.ts";
import type { StagedBlob } from "./blobs.ts";
import type { ArchiveSource } from "./source.ts";

/** One image of the archive: its manifest document and names. */
export interface ArchivedImage {
  readonly manifest: Manifest;
  readonly names: readonly string[];
}

/** Images of a `manifest.json`; `head` gives the first bytes of a staged file. Throws `ERR_LAP_ARCHIVE_INVALID`. */
export function archivedImages(source: ArchiveSource, head: (staged: StagedBlob) => Uint8Array): ArchivedImage[] {
  const bytes = source.file("manifest.json", MAX_MANIFEST_BYTES);
  if (bytes === undefined) throw withoutManifest();
  const list = parseJson(bytes, "manifest.json", MAX_MANIFEST_BYTES);
  if (!Array.isArray(list)) throw invalid("manifest.json is not a list");
  return list.map((entry) => archivedImage(entry as Record<string, unknown> | null, source, head));
}

function archivedImage(
  entry: Record<string, unknown> | null,
  source: ArchiveSource,
  head: (staged: StagedBlob) => Uint8Array,
): ArchivedImage {
  const { Config: configName, Layers: layerNames, RepoTags: names } = entry ?? {};
  if (typeof configName !== "string" || !isStrings(layerNames)) throw invalid("manifest.json lacks Config or Layers");
  if (layerNames.length > MAX_LAYERS) throw invalid(`an image has more than ${MAX_LAYERS} layers`);
  const config = member(source, configName);
  if (config.size > MAX_CONFIG_BYTES) throw invalid(`the config has more than ${MAX_CONFIG_BYTES} bytes`);
  const layers = layerNames.map((name) => layerDescriptor(member(source, name), head));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: { mediaType: MEDIA_TYPE.config, digest: config.digest, size: config.size },
    layers,
  };
  return { manifest, names: isStrings(names) ? names : [] };
}

function layerDescriptor(staged: StagedBlob, head: (staged: StagedBlob) => Uint8Array): Descriptor {
  const format = sniffCompression(head(staged));
  const mediaType =
    format === "gzip" ? MEDIA_TYPE.layerGzip : format === "zstd" ? MEDIA_TYPE.layerZstd : MEDIA_TYPE.layer;
  return { mediaType, digest: staged.digest, size: staged.size };
}

function member(source: ArchiveSource, name: string): StagedBlob {
  const staged = source.member(name.replace(/^\.?\//, ""));
  if (staged === undefined) throw invalid(`"${name.slice(0, 200)}" is named by manifest.json and missing`);
  return staged;
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

export function invalid(why: string): LapError {
  return archiveError(`not an image archive: ${why}`);
}

/** An archive that is neither an OCI layout nor docker's, or empty: in docker's words (since 29). */
export function withoutManifest(): LapError {
  return archiveError("invalid archive: does not contain a manifest.json");
}

function archiveError(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_ARCHIVE_INVALID", message, {
    hint: "give an OCI layout as folder or tar, or a file made by docker save",
  });
}
