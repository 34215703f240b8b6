// An image tree of any source -> the image store. The index is kept whole, of its images only the wanted platforms come; layers arrive in
// parallel and are checked (and unpacked) as they do; the name appears when the image is complete.
import {
  LapError,
  MAX_CONFIG_BYTES,
  isLapError,
  type Descriptor,
  type Digest,
  type Manifest,
  type Platform,
  type ProgressSink,
} from "@lapstrake/base";
import type { BlobStore, StagedBlob } from "../image/blobs.ts";
import type { LayerUnpacker } from "../image/import.ts";
import type { BlobSource } from "../image/source.ts";
import type { ImageStore } from "../image/store.ts";
import { choose } from "./choose.ts";
import { DEFAULT_PARALLEL, type ContentSource, type TransferOptions } from "./content.ts";
import { blobsOf, isDocumentType, parseDocument } from "./documents.ts";
import { Downloads } from "./downloads.ts";
import { MAX_DEPTH, MAX_DOCUMENTS } from "./limits.ts";
import { counted, tell } from "./progress.ts";
import { isForeign } from "./transfer.ts";

/** What to pull. */
export interface PullOptions extends TransferOptions {
  /** Platforms of an index to bring, each of them; `"all"` brings every one. Default: the first of `prefer`. */
  readonly platforms?: readonly Platform[] | "all" | undefined;
  /** Without `platforms`: the first of these that the index has; default linux/amd64. */
  readonly prefer?: readonly Platform[] | undefined;
  /** Takes layers while they are verified (a snapshot store), so that they are decompressed once. */
  readonly unpack?: LayerUnpacker | undefined;
}

const DEFAULT_PLATFORMS: readonly Platform[] = [{ os: "linux", architecture: "amd64" }];

/** Brings the image tree of any source into a store under `references`; returns the IMAGE ID. */
export async function importImage(
  store: ImageStore,
  source: ContentSource,
  references: readonly string[],
  options: PullOptions = {},
): Promise<Digest> {
  using _lease = store.lease();
  const documents = await readDocuments(source, options);
  await using downloads = startDownloads(store.blobs, source, documents, options);
  const from = new Arriving(store.blobs, documents, downloads);
  const { signal, unpack, progress } = options;
  const [image] = await store.import(from, source.root, references, { signal, unpack, progress: storeWords(progress) });
  return image!.id;
}

/** Documents that were read, by digest, and the image manifests among them. */
interface Documents {
  readonly bytes: ReadonlyMap<Digest, Uint8Array>;
  readonly manifests: readonly Manifest[];
}

/** The root and, of an index, the manifests of the wanted platforms. */
async function readDocuments(source: ContentSource, options: PullOptions): Promise<Documents> {
  const bytes = new Map<Digest, Uint8Array>();
  const manifests: Manifest[] = [];
  const read = async (descriptor: Descriptor, depth: number): Promise<void> => {
    options.signal?.throwIfAborted();
    if (depth > MAX_DEPTH || bytes.size >= MAX_DOCUMENTS) {
      throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", "image indexes are nested too deep or too many");
    }
    const content = await source.document(descriptor, options);
    const { target } = parseDocument(content, descriptor.mediaType);
    bytes.set(descriptor.digest, content);
    if (target.kind === "manifest") manifests.push(target.manifest);
    else for (const entry of wanted(target.index.manifests, source.root, options)) await read(entry, depth + 1);
  };
  await read(source.root, 0);
  return { bytes, manifests };
}

/** The entries of an index that the options ask for. Throws `ERR_LAP_NO_PLATFORM`. */
export function wanted(entries: readonly Descriptor[], root: Descriptor, options: PullOptions): Descriptor[] {
  const images = entries.filter(({ mediaType }) => isDocumentType(mediaType));
  const { platforms, prefer = DEFAULT_PLATFORMS } = options;
  if (platforms === "all") return images;
  if (platforms !== undefined) return platforms.map((platform) => choose(images, [platform], root));
  return [choose(images, prefer, root)];
}

function startDownloads(
  blobs: BlobStore,
  source: ContentSource,
  { manifests }: Documents,
  { signal, progress, parallel = DEFAULT_PARALLEL }: PullOptions,
): Downloads {
  const configs = new Set(manifests.map(({ config }) => config.digest));
  for (const { config } of manifests) checkConfigSize(config);
  const all = new Map(manifests.flatMap(blobsOf).map((blob) => [blob.digest, blob]));
  const missing = [...all.values()].filter((blob) => blobs.size(blob.digest) !== blob.size);
  for (const blob of all.values()) {
    if (!configs.has(blob.digest)) tell(progress, blob, missing.includes(blob) ? "Pulling fs layer" : "Already exists");
  }
  return new Downloads(blobs, missing, parallel, signal, (blob, stop) =>
    download(blobs, source, blob, configs.has(blob.digest) ? undefined : progress, stop),
  );
}

function checkConfigSize({ size }: Descriptor): void {
  if (size <= MAX_CONFIG_BYTES) return;
  throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", `a config of ${size} bytes is too large`);
}

async function download(
  blobs: BlobStore,
  source: ContentSource,
  descriptor: Descriptor,
  progress: ProgressSink | undefined,
  signal: AbortSignal,
): Promise<StagedBlob> {
  const content = counted(source.blob(descriptor, { signal }), descriptor, "Downloading", progress);
  try {
    const staged = await blobs.stage(content, descriptor);
    tell(progress, descriptor, "Download complete");
    return staged;
  } catch (error) {
    throw isForeign(descriptor) && isLapError(error, "notFound") ? foreignError(descriptor, error) : error;
  }
}

/** What the store is told to take in: documents that were read, blobs that arrive. All else is of platforms that nobody wanted. */
class Arriving implements BlobSource {
  readonly #blobs: BlobStore;
  readonly #documents: Documents;
  readonly #downloads: Downloads;

  constructor(blobs: BlobStore, documents: Documents, downloads: Downloads) {
    this.#blobs = blobs;
    this.#documents = documents;
    this.#downloads = downloads;
  }

  async stage(descriptor: Descriptor): Promise<StagedBlob | undefined> {
    const bytes = this.#documents.bytes.get(descriptor.digest);
    return bytes === undefined ? this.#downloads.take(descriptor.digest) : this.#blobs.stage(once(bytes), descriptor);
  }

  abandon(reason: unknown): void {
    this.#downloads.stop(reason);
  }
}

/** The store's events that a pull shows; what it says about loading, the downloads say better. */
function storeWords(progress: ProgressSink | undefined): ProgressSink | undefined {
  return progress === undefined
    ? undefined
    : (event) => (event.status === "Loading layer" ? undefined : progress(event));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}

function foreignError({ digest, urls = [] }: Descriptor, cause: LapError): LapError {
  return new LapError("unimplemented", "ERR_LAP_FOREIGN_LAYER", `layer ${digest} is not in the registry`, {
    cause,
    hint: `its publisher offers it only at ${urls.slice(0, 3).join(", ")}`,
  });
}
