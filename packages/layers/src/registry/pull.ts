// Pull: a reference -> the image store. The index is kept whole, of its images only the wanted platforms come; layers travel in
// parallel, each verified before it is visible, and the name appears when the image is complete.
import {
  LapError,
  formatPlatform,
  isLapError,
  normalizePlatform,
  parseReference,
  samePlatform,
  familiarName,
  familiarReference,
  type Descriptor,
  type Digest,
  type Manifest,
  type Platform,
  type Reference,
} from "@lapstrake/base";
import type { BlobStore, StagedBlob } from "../image/blobs.ts";
import type { Image } from "../image/image.ts";
import type { BlobSource } from "../image/source.ts";
import type { ImageStore } from "../image/store.ts";
import { DEFAULT_PARALLEL, type ContentSource, type TransferOptions } from "./content.ts";
import { isDocumentType, parseDocument } from "./documents.ts";
import { inParallel } from "./parallel.ts";
import { counted, tell } from "./progress.ts";
import { Reader } from "./reader.ts";
import { RemoteSource, referenceKey } from "./remote-source.ts";
import type { Transport } from "./transport.ts";

/** What to pull. */
export interface PullOptions extends TransferOptions {
  /** Platforms of an index to bring; default linux/amd64. `"all"` brings every one. */
  readonly platforms?: readonly Platform[] | "all" | undefined;
}

/** A pulled image. */
export interface PulledImage {
  /** Familiar form of the reference. */
  readonly reference: string;
  /** The index or manifest that the reference names. */
  readonly target: Descriptor;
  /** IMAGE ID. */
  readonly id: Digest;
  /** False when the image was here and the name did not move. */
  readonly changed: boolean;
}

const DEFAULT_PLATFORM: Platform = { os: "linux", architecture: "amd64" };

/** Pulls `reference` into `store`. */
export async function pullImage(
  transport: Transport,
  store: ImageStore,
  reference: string,
  options: PullOptions = {},
): Promise<PulledImage> {
  const parsed = parseReference(reference);
  const known = present(store, reference, options);
  const reader = await Reader.open(transport, parsed, options);
  if (known !== undefined && (await reader.head(referenceKey(parsed), options))?.digest === known.target.digest) {
    return { reference: familiarReference(parsed), target: known.target, id: known.id, changed: false };
  }
  const source = await RemoteSource.read(transport, reader, parsed, options).catch((error: unknown) => {
    throw worded(error, parsed);
  });
  const id = await importImage(store, source, [reference], options);
  return { reference: familiarReference(parsed), target: source.root, id, changed: true };
}

/** Docker's words for the two answers that its clients know by their text; everything else stays as it is. */
function worded(error: unknown, reference: Reference): unknown {
  if (!isLapError(error)) return error;
  const { kind, code, hint, detail } = error;
  const options = {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(detail === undefined ? {} : { detail }),
  };
  if (code === "ERR_LAP_REGISTRY_NOT_FOUND") {
    const message = `manifest for ${familiarReference(reference)} not found: manifest unknown: manifest unknown`;
    return new LapError(kind, code, message, options);
  }
  if (code !== "ERR_LAP_REGISTRY_DENIED" && code !== "ERR_LAP_REGISTRY_UNAUTHENTICATED") return error;
  const message = `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`;
  return new LapError(kind, code, message, options);
}

/** What the name points to now, when it is here for every wanted platform: one small question tells whether it still does. */
function present(
  store: ImageStore,
  reference: string,
  { platforms = [DEFAULT_PLATFORM] }: PullOptions,
): Image | undefined {
  if (platforms === "all") return undefined;
  try {
    return platforms.map((platform) => store.resolve(reference, platform))[0];
  } catch (error) {
    if (isLapError(error, "notFound")) return undefined;
    throw error;
  }
}

/** Brings the image tree of any source into a store under `references`; returns the IMAGE ID. */
export async function importImage(
  store: ImageStore,
  source: ContentSource,
  references: readonly string[],
  options: PullOptions = {},
): Promise<Digest> {
  using _lease = store.lease();
  const fetch = new Fetch(store.blobs, source, options);
  await fetch.run();
  const [image] = await store.import(fetch, source.root, references, { signal: options.signal });
  return image!.id;
}

/** First brings everything in, in parallel; then answers the store, which checks and names it. */
class Fetch implements BlobSource {
  readonly #blobs: BlobStore;
  readonly #source: ContentSource;
  readonly #options: PullOptions;

  constructor(blobs: BlobStore, source: ContentSource, options: PullOptions) {
    this.#blobs = blobs;
    this.#source = source;
    this.#options = options;
  }

  /** What the store still misses is of a platform that nobody wanted. */
  stage(): Promise<StagedBlob | undefined> {
    return Promise.resolve(undefined);
  }

  async run(): Promise<void> {
    await this.#document(this.#source.root);
  }

  async #document(descriptor: Descriptor): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const bytes = await this.#source.document(descriptor, this.#options);
    const { target } = parseDocument(bytes, descriptor.mediaType);
    if (target.kind === "manifest") await this.#layers(target.manifest);
    else for (const entry of this.#wanted(target.index.manifests)) await this.#document(entry);
    await this.#blobs.ingest(once(bytes), descriptor);
  }

  #wanted(entries: readonly Descriptor[]): Descriptor[] {
    const images = entries.filter(({ mediaType }) => isDocumentType(mediaType));
    const { platforms = [DEFAULT_PLATFORM] } = this.#options;
    if (platforms === "all") return images;
    return platforms.map((platform) => choose(images, platform, this.#source.root));
  }

  async #layers(manifest: Manifest): Promise<void> {
    const blobs = [...new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob])).values()];
    const missing = blobs.filter((blob) => this.#blobs.size(blob.digest) !== blob.size);
    const { signal, progress, parallel = DEFAULT_PARALLEL } = this.#options;
    for (const layer of manifest.layers) {
      tell(progress, layer, missing.includes(layer) ? "Pulling fs layer" : "Already exists");
    }
    await inParallel(missing, parallel, signal, (blob, stop) => this.#blob(blob, blob !== manifest.config, stop));
  }

  async #blob(descriptor: Descriptor, isShown: boolean, signal: AbortSignal): Promise<void> {
    const progress = isShown ? this.#options.progress : undefined;
    const content = this.#source.blob(descriptor, { signal });
    await this.#blobs.ingest(counted(content, descriptor, "Downloading", progress), descriptor);
    tell(progress, descriptor, "Download complete");
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}

/** The entry for a platform: exact, or the same without a variant that was not asked for. Throws `ERR_LAP_NO_PLATFORM`. */
export function choose(entries: readonly Descriptor[], wanted: Platform, root: Descriptor): Descriptor {
  const images = entries.filter((entry) => entry.platform !== undefined && entry.platform.os !== "unknown");
  const exact = images.find(({ platform }) => samePlatform(platform!, wanted));
  const { os, architecture, variant } = normalizePlatform(wanted);
  const loose = images.find(
    ({ platform }) =>
      variant === undefined &&
      samePlatform({ os: platform!.os, architecture: platform!.architecture }, { os, architecture }),
  );
  const only = entries.length === 1 && entries[0]!.platform === undefined ? entries[0] : undefined;
  const found = exact ?? loose ?? only;
  if (found !== undefined) return found;
  const have = [...new Set(images.map(({ platform }) => formatPlatform(platform!)))].join(", ");
  throw new LapError(
    "notFound",
    "ERR_LAP_NO_PLATFORM",
    `no matching manifest for ${formatPlatform(wanted)} in ${root.digest}`,
    { hint: have === "" ? "the index names no platforms" : `it has ${have}` },
  );
}
