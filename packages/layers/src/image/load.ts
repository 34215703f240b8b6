// `lap load`: an OCI layout (folder or tar) or a docker archive -> images of the store with their names.
import {
  LapError,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPE,
  familiarReference,
  parseReference,
  type Descriptor,
  type Digest,
  type DirFs,
} from "@lapstrake/base";
import type { BlobStore, StagedBlob } from "./blobs.ts";
import { archivedImages, invalid } from "./docker-archive.ts";
import { parseIndex } from "./documents.ts";
import { Importer, type ImportOptions } from "./import.ts";
import type { StorePorts } from "./ports.ts";
import type { ImageRecord, ImageVariant, Records } from "./records.ts";
import { LayoutSource, SpooledSource, type ArchiveSource, type BlobSource } from "./source.ts";
import { spoolArchive } from "./spool.ts";

/** Where images come from: an OCI layout folder, or the bytes of an archive (plain, gzip or zstd). */
export type LoadSource =
  | { readonly kind: "dir"; readonly dir: DirFs }
  | { readonly kind: "stream"; readonly stream: AsyncIterable<Uint8Array> };

/** One image that was loaded. */
export interface LoadedImage {
  /** Familiar name; undefined when the archive does not name it. */
  readonly reference: string | undefined;
  /** IMAGE ID. */
  readonly id: Digest;
  readonly target: Descriptor;
}

export interface LoadContext {
  readonly dir: DirFs;
  readonly blobs: BlobStore;
  readonly records: Records;
  readonly ports: StorePorts;
  /** The variant of a record that this store prefers. */
  readonly prefer: (record: ImageRecord) => ImageVariant;
}

interface Found {
  readonly target: Descriptor;
  readonly names: readonly string[];
}

export async function load(context: LoadContext, source: LoadSource, options: ImportOptions): Promise<LoadedImage[]> {
  const blobSource = await openSource(context, source, options);
  try {
    const found = await findImages(context, blobSource);
    if (found.length === 0) throw invalid("it holds no image");
    const importer = new Importer(context.blobs, context.ports, blobSource, knownVariants(context.records), options);
    const records: [ImageRecord, Found][] = [];
    for (const image of found) records.push([await importer.run(image.target), image]);
    return records.flatMap(([record, { names }]) => publish(context, record, names));
  } finally {
    blobSource.close();
  }
}

/** Brings in one target from any source, then gives it its names: what pull does. */
export async function importTarget(
  context: LoadContext,
  source: BlobSource,
  target: Descriptor,
  names: readonly string[],
  options: ImportOptions,
): Promise<LoadedImage[]> {
  const importer = new Importer(context.blobs, context.ports, source, knownVariants(context.records), options);
  return publish(context, await importer.run(target), names.map(checkName));
}

async function openSource(
  { blobs, ports }: LoadContext,
  source: LoadSource,
  { signal }: ImportOptions,
): Promise<ArchiveSource> {
  if (source.kind === "dir") return new LayoutSource(source.dir, blobs);
  return new SpooledSource(blobs, await spoolArchive(source.stream, blobs, ports, signal));
}

async function findImages(context: LoadContext, source: ArchiveSource): Promise<Found[]> {
  const index = source.file("index.json", MAX_MANIFEST_BYTES);
  if (index !== undefined) return namedEntries(parseIndex(index).manifests);
  const { blobs, dir } = context;
  const found: Found[] = [];
  for (const { manifest, names } of archivedImages(source, (staged) => headOf(dir, staged))) {
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    const { digest, size } = await blobs.ingest(once(bytes));
    found.push({ target: { mediaType: MEDIA_TYPE.manifest, digest, size }, names: names.map(checkName) });
  }
  return found;
}

/** Entries of index.json, those of the same target together. */
function namedEntries(entries: readonly Descriptor[]): Found[] {
  const byDigest = new Map<Digest, { target: Descriptor; names: string[] }>();
  for (const entry of entries) {
    const found = byDigest.get(entry.digest) ?? { target: entry, names: [] };
    byDigest.set(entry.digest, found);
    const name = entryName(entry);
    if (name !== undefined) found.names.push(name);
  }
  return [...byDigest.values()];
}

/** containerd's name, or a full name in the layout's annotation; a bare tag there names nothing by itself. */
function entryName({ annotations }: Descriptor): string | undefined {
  const full = annotations?.["io.containerd.image.name"];
  if (full !== undefined) return checkName(full);
  const name = annotations?.["org.opencontainers.image.ref.name"];
  return name !== undefined && /[:/]/.test(name) ? checkName(name) : undefined;
}

function checkName(name: string): string {
  return familiarReference(parseReference(name));
}

function publish(context: LoadContext, record: ImageRecord, names: readonly string[]): LoadedImage[] {
  for (const variant of record.variants) requireBlobs(context, variant);
  context.records.putImage(record);
  for (const name of names) context.records.putRef(name, record.target);
  const { id } = context.prefer(record);
  const references = names.length === 0 ? [undefined] : names;
  return references.map((reference) => ({ reference, id, target: record.target }));
}

/** Somebody may have collected garbage meanwhile: nothing is named that is not here. */
function requireBlobs({ blobs }: LoadContext, variant: ImageVariant): void {
  if (blobs.size(variant.manifest.digest) !== undefined && blobs.size(variant.id) !== undefined) return;
  throw new LapError("unavailable", "ERR_LAP_BLOB_MISSING", "the store removed blobs while the image was loaded", {
    hint: "try again",
  });
}

/** Variants by manifest digest: their layers were verified when they came. */
function knownVariants(records: Records): Map<string, ImageVariant> {
  return new Map(
    records.images().flatMap(({ variants }) => variants.map((variant) => [variant.manifest.digest, variant] as const)),
  );
}

function headOf(dir: DirFs, staged: StagedBlob): Uint8Array {
  using file = dir.open(staged.path, { read: true });
  const head = new Uint8Array(4);
  return head.subarray(0, file.read(head, 0, 4, 0));
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
