// Pull: a reference -> the image store. The index is kept whole, of its images only the wanted platforms come; layers travel in
// parallel, each verified before it is visible, and the name appears when the image is complete.
import {
  LapError,
  MAX_CONFIG_BYTES,
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
import { blobsOf, isDocumentType, parseDocument } from "./documents.ts";
import { inParallel } from "./parallel.ts";
import { counted, tell } from "./progress.ts";
import { Reader } from "./reader.ts";
import { RemoteSource, referenceKey } from "./remote-source.ts";
import { isForeign } from "./transfer.ts";
import type { Transport } from "./transport.ts";

/** What to pull. */
export interface PullOptions extends TransferOptions {
  /** Platforms of an index to bring, each of them; `"all"` brings every one. Default: the first of `prefer`. */
  readonly platforms?: readonly Platform[] | "all" | undefined;
  /** Without `platforms`: the first of these that the index has; default linux/amd64. */
  readonly prefer?: readonly Platform[] | undefined;
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

const DEFAULT_PLATFORMS: readonly Platform[] = [{ os: "linux", architecture: "amd64" }];

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
function present(store: ImageStore, reference: string, { platforms, prefer }: PullOptions): Image | undefined {
  if (platforms === "all") return undefined;
  const here = (platform: Platform): Image | undefined => {
    try {
      return store.resolve(reference, platform);
    } catch (error) {
      if (isLapError(error, "notFound")) return undefined;
      throw error;
    }
  };
  if (platforms === undefined) return here((prefer ?? DEFAULT_PLATFORMS)[0]!);
  const images = platforms.map(here);
  return images.includes(undefined) ? undefined : images[0];
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
    const { platforms, prefer = DEFAULT_PLATFORMS } = this.#options;
    if (platforms === "all") return images;
    if (platforms !== undefined) return platforms.map((platform) => choose(images, [platform], this.#source.root));
    return [choose(images, prefer, this.#source.root)];
  }

  async #layers(manifest: Manifest): Promise<void> {
    if (manifest.config.size > MAX_CONFIG_BYTES) {
      throw new LapError(
        "resourceExhausted",
        "ERR_LAP_LIMIT",
        `a config of ${manifest.config.size} bytes is too large`,
      );
    }
    const missing = blobsOf(manifest).filter((blob) => this.#blobs.size(blob.digest) !== blob.size);
    const { signal, progress, parallel = DEFAULT_PARALLEL } = this.#options;
    for (const layer of manifest.layers) {
      tell(progress, layer, missing.includes(layer) ? "Pulling fs layer" : "Already exists");
    }
    await inParallel(missing, parallel, signal, (blob, stop) => this.#blob(blob, blob !== manifest.config, stop));
  }

  async #blob(descriptor: Descriptor, isShown: boolean, signal: AbortSignal): Promise<void> {
    const progress = isShown ? this.#options.progress : undefined;
    const content = counted(this.#source.blob(descriptor, { signal }), descriptor, "Downloading", progress);
    await this.#blobs.ingest(content, descriptor).catch((error: unknown) => {
      throw isForeign(descriptor) && isLapError(error, "notFound") ? foreignError(descriptor, error) : error;
    });
    tell(progress, descriptor, "Download complete");
  }
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

/** The entry for the first of `wanted` that is there: exact, or the same without a variant that was not asked for. Throws `ERR_LAP_NO_PLATFORM`. */
export function choose(entries: readonly Descriptor[], wanted: readonly Platform[], root: Descriptor): Descriptor {
  const images = entries.filter(({ platform }) => platform !== undefined && platform.os !== "unknown");
  for (const platform of wanted) {
    const found = entryFor(images, platform);
    if (found !== undefined) return found;
  }
  if (entries.length === 1 && entries[0]!.platform === undefined) return entries[0]!;
  const have = [...new Set(images.map(({ platform }) => formatPlatform(platform!)))].join(", ");
  const message = `no matching manifest for ${wanted.map(formatPlatform).join(" or ")} in the manifest list entries`;
  throw new LapError("notFound", "ERR_LAP_NO_PLATFORM", message, {
    hint: have === "" ? "the index names no platforms" : `it has ${have}`,
    detail: { digest: root.digest },
  });
}

function entryFor(images: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const exact = images.find(({ platform }) => samePlatform(platform!, wanted));
  const { os, architecture, variant } = normalizePlatform(wanted);
  if (exact !== undefined || variant !== undefined) return exact;
  const bare = ({ os: itsOs, architecture: its }: Platform): Platform => ({ os: itsOs, architecture: its });
  return images.find(({ platform }) => samePlatform(bare(platform!), { os, architecture }));
}
