// Images of the store -> an archive: one tar that is an OCI layout and a docker archive at once, as Docker 25 writes it, so that
// `docker load`, skopeo, umoci and we read it. Same images, same bytes.
import {
  MAX_MANIFEST_BYTES,
  digestAlgorithm,
  digestHex,
  formatReference,
  parseReference,
  toByteString,
  type Descriptor,
  type Digest,
} from "@lapstrake/base";
import { BytesContent } from "../tree/content.ts";
import type { LayerEntry } from "../tree/entries.ts";
import { compareBytes } from "../tree/order.ts";
import { writeTarStream, type StreamedEntry } from "../tar/write-stream.ts";
import type { BlobStore } from "./blobs.ts";
import { parseTarget } from "./documents.ts";
import type { Image } from "./image.ts";

/** An image and the names it gets in the archive; [] keeps it nameless. */
export interface SavedImage {
  readonly image: Image;
  readonly references: readonly string[];
}

/** The archive as chunks. Blobs are verified as they pass. */
export async function* saveImages(
  blobs: BlobStore,
  images: readonly SavedImage[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const needed = new Map<Digest, number>();
  for (const { image } of images) collect(blobs, image.target, needed);
  const files: StreamedEntry[] = [
    small("index.json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: images.flatMap(entries),
    }),
    small("manifest.json", images.filter(({ image }) => image.hasRootfs).map(dockerEntry)),
    small("oci-layout", { imageLayoutVersion: "1.0.0" }),
    ...[...needed].map(([digest, size]) => ({
      entry: fileEntry(blobPath(digest), size),
      bytes: () => blobs.stream(digest),
    })),
  ];
  yield* writeTarStream(files.toSorted((a, b) => compareBytes(a.entry.path, b.entry.path)));
}

function collect(blobs: BlobStore, target: Descriptor, needed: Map<Digest, number>): void {
  if (needed.has(target.digest) || blobs.size(target.digest) === undefined) return;
  needed.set(target.digest, target.size);
  const document = parseTarget(blobs.read(target.digest, MAX_MANIFEST_BYTES), target.mediaType);
  if (document.kind === "index") {
    for (const entry of document.index.manifests)
      if (/manifest|index/.test(entry.mediaType)) collect(blobs, entry, needed);
    return;
  }
  for (const { digest, size } of [document.manifest.config, ...document.manifest.layers]) needed.set(digest, size);
}

function entries({ image, references }: SavedImage): Descriptor[] {
  if (references.length === 0) return [image.target];
  return references.map((reference) => {
    const ref = parseReference(reference);
    const annotations = {
      "io.containerd.image.name": formatReference(ref),
      "org.opencontainers.image.ref.name": ref.tag ?? "latest",
    };
    return { ...image.target, annotations };
  });
}

/** Docker's own list: paths of the config and the layers. */
function dockerEntry({ image, references }: SavedImage): object {
  return {
    Config: blobPath(image.id),
    RepoTags: references.length === 0 ? null : references,
    Layers: image.layers.map(({ descriptor }) => blobPath(descriptor.digest)),
  };
}

function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

function small(path: string, value: object): StreamedEntry {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return { entry: { ...fileEntry(path, bytes.length), content: new BytesContent(bytes) }, bytes: undefined };
}

function fileEntry(path: string, size: number): LayerEntry {
  return {
    path: toByteString(path),
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtimeSec: 0,
    mtimeNsec: 0,
    target: "",
    rdevMajor: 0,
    rdevMinor: 0,
    xattrs: undefined,
    content: undefined,
  };
}
