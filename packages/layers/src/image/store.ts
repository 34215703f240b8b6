// The image store: what tools and the engine call. One directory, any number of processes; every change is whole or absent.
import {
  LapError,
  errorCode,
  familiarName,
  familiarReference,
  parseReference,
  type Descriptor,
  type Digest,
  type DirFs,
  type Platform,
} from "@lapstrake/base";
import { MAX_MEMORY_LAYER_BYTES } from "../limits.ts";
import { treeFromStream } from "../tree/from-tar.ts";
import type { LayerTree } from "../tree/node.ts";
import { BlobStore } from "./blobs.ts";
import { checkStore, type CheckOptions, type StoreProblem } from "./check.ts";
import { commitImage, type CommitOptions } from "./commit.ts";
import { ensureDir, isImageDamage, readFile, writeAtomic } from "./files.ts";
import { collectGarbage, type GcResult } from "./gc.ts";
import { readImage, type Image, type ImageLayer, type ImageSummary } from "./image.ts";
import type { ImportOptions } from "./import.ts";
import { layerStream } from "./layer-stream.ts";
import { Leases } from "./leases.ts";
import { importTarget, load, type LoadContext, type LoadSource, type LoadedImage } from "./load.ts";
import { targetPlatforms, type TargetPlatform } from "./platforms.ts";
import type { StorePorts } from "./ports.ts";
import { Records, type ImageRecord, type ImageVariant } from "./records.ts";
import { saveImages } from "./save.ts";
import { LayoutSource, type BlobSource } from "./source.ts";
import { isWasmArtifact, wasmArtifactTree } from "./wasm-artifact.ts";
import { chooseVariant, resolveImage } from "./resolve.ts";

const LAYOUT = `{"imageLayoutVersion":"1.0.0"}`;
const DEFAULT_PLATFORM: Platform = { os: "linux", architecture: "amd64" };

/** What a removal did: familiar names, and ids of images that are gone. */
export interface RemovedImages {
  readonly untagged: readonly string[];
  readonly deleted: readonly Digest[];
}

/** Opens, or makes, the store in `dir`. The directory must stay open as long as the store. */
export function openImageStore(dir: DirFs, ports: StorePorts): ImageStore {
  return new ImageStore(dir, ports);
}

/** Disposing lets go of what it opened in its directory; the directory itself is its opener's. */
export class ImageStore implements Disposable {
  readonly #dir: DirFs;
  readonly #ports: StorePorts;
  readonly #blobs: BlobStore;
  readonly #records: Records;
  readonly #leases: Leases;
  readonly #platform: Platform;

  constructor(dir: DirFs, ports: StorePorts) {
    this.#dir = dir;
    this.#ports = ports;
    this.#blobs = new BlobStore(dir, ports.hash);
    this.#records = new Records(dir, ports.hash);
    this.#leases = new Leases(dir, ports.clock);
    this.#platform = ports.platform ?? DEFAULT_PLATFORM;
    if (readFile(dir, "oci-layout", 1024) === undefined)
      writeAtomic(dir, "oci-layout", new TextEncoder().encode(LAYOUT));
    ensureDir(dir, "trash");
  }

  /** The blobs beneath the images. */
  get blobs(): BlobStore {
    return this.#blobs;
  }

  /** Loads every image of a layout or archive; names move to the loaded images. */
  async load(source: LoadSource, options: ImportOptions = {}): Promise<LoadedImage[]> {
    using _lease = this.#leases.acquire();
    return await load(this.#context(), source, options);
  }

  /**
   * Brings in a manifest or index with all it refers to, and gives it `references`: what pull does. Manifests of an index that
   * `source` does not have are skipped; at least one must be whole.
   */
  async import(
    source: BlobSource,
    target: Descriptor,
    references: readonly string[],
    options: ImportOptions = {},
  ): Promise<LoadedImage[]> {
    using _lease = this.#leases.acquire();
    return await importTarget(this.#context(), source, target, references, options);
  }

  #context(): LoadContext {
    const prefer = (record: ImageRecord): ImageVariant => chooseVariant(record, undefined, this.#platform);
    return { dir: this.#dir, blobs: this.#blobs, records: this.#records, ports: this.#ports, prefer };
  }

  /** Every image, named or not, newest first. */
  list(): ImageSummary[] {
    const refs = this.#records.refs();
    return this.#records
      .images()
      .map((record) => this.#summary(record, refs))
      .toSorted((a, b) => compareText(b.created ?? "", a.created ?? ""));
  }

  /** From the record; a damaged config only costs the creation time, so that one bad image does not hide the others. */
  #summary(record: ImageRecord, refs: readonly { reference: string; target: Descriptor }[]): ImageSummary {
    const variant = chooseVariant(record, undefined, this.#platform);
    const names = refs.filter(({ target }) => target.digest === record.target.digest);
    return {
      id: variant.id,
      references: names.map(({ reference }) => familiarReference(parseReference(reference))),
      target: record.target,
      platform: variant.platform,
      size: variant.unpackedBytes,
      addedSec: record.addedSec,
      created: this.#created(record, variant),
    };
  }

  #created(record: ImageRecord, variant: ImageVariant): string | undefined {
    try {
      return readImage(this.#blobs, this.#ports.hash, record, variant, []).config.created;
    } catch (error) {
      if (!isImageDamage(error)) throw error;
      const about = { id: variant.id, code: errorCode(error) };
      this.#ports.logger?.warn(`image ${variant.id} is damaged: ${error.message}`, about);
      return undefined;
    }
  }

  /** The image of a name, id or unique id prefix. Throws `ERR_LAP_NO_IMAGE`, `ERR_LAP_ID_AMBIGUOUS`, `ERR_LAP_NO_PLATFORM`. */
  resolve(nameOrId: string, platform?: Platform): Image {
    const { record, variant } = resolveImage(this.#records, nameOrId, platform, this.#platform);
    return this.#image(record, variant);
  }

  /** The platforms of a stored target, as {@link ImageSummary} names it; [] when it is gone. */
  platforms(target: Digest): TargetPlatform[] {
    const record = this.#records.image(target);
    return record === undefined ? [] : targetPlatforms(this.#blobs, record);
  }

  #image(record: ImageRecord, variant: ImageVariant): Image {
    return readImage(this.#blobs, this.#ports.hash, record, variant, this.#namesOf(record.target.digest));
  }

  /** Canonical names of a target. */
  #namesOf(target: Digest): string[] {
    return this.#records
      .refs()
      .filter((ref) => ref.target.digest === target)
      .map(({ reference }) => reference);
  }

  /** Gives an image a further name; a name that was another image's moves. Throws `ERR_LAP_REFERENCE_INVALID`. */
  tag(nameOrId: string, reference: string): void {
    const { digest } = parseReference(reference);
    if (digest !== undefined)
      throw new LapError("invalidArgument", "ERR_LAP_REFERENCE_INVALID", "cannot create a tag with a digest reference");
    const { record } = resolveImage(this.#records, nameOrId, undefined, this.#platform);
    this.#records.putRef(reference, record.target);
  }

  /**
   * Removes a name, and the image when it was the last one; by id, all its names. Throws `ERR_LAP_IMAGE_IN_USE` when an id has
   * names in several repositories and `force` is not set. Extracted layers are the snapshot store's.
   */
  remove(nameOrId: string, options: { readonly force?: boolean } = {}): RemovedImages {
    const { record, reference } = resolveImage(this.#records, nameOrId, undefined, this.#platform);
    const names = this.#namesOf(record.target.digest);
    const untag = reference === undefined || reference === "" ? names : [reference];
    if (untag.length > 1) refuseManyRepositories(nameOrId, untag, options.force === true);
    for (const name of untag) this.#records.removeRef(name);
    const untagged = untag.map((name) => familiarReference(parseReference(name)));
    if (untag.length < names.length) return { untagged, deleted: [] };
    this.#records.removeImage(record.target.digest);
    this.gc();
    return { untagged, deleted: record.variants.map(({ id }) => id) };
  }

  /** Takes a name away and leaves the image, without a name if it was the last; gives the familiar name. Throws `ERR_LAP_NO_IMAGE`. */
  untag(name: string): string {
    const { reference } = resolveImage(this.#records, name, undefined, this.#platform);
    if (reference === undefined || reference === "") {
      throw new LapError("invalidArgument", "ERR_LAP_REFERENCE_INVALID", `"${name}" is no name of an image`);
    }
    this.#records.removeRef(reference);
    return familiarReference(parseReference(reference));
  }

  /** Makes a new image on `base`, without a name. The same content gives the same image. */
  async commit(options: CommitOptions): Promise<Image> {
    using _lease = this.#leases.acquire();
    const record = await commitImage(this.#blobs, { ...this.#ports, platform: this.#platform }, options);
    this.#records.putImage(record);
    return this.#image(record, record.variants[0]!);
  }

  /**
   * An archive of images by name or id, as `docker save` writes it (an OCI layout as well). Names given are the names inside; an
   * image given by id has none. Throws `ERR_LAP_NO_IMAGE` before the first chunk.
   */
  save(namesOrIds: readonly string[]): AsyncIterable<Uint8Array> {
    const images = new Map<Digest, { image: Image; references: string[] }>();
    for (const nameOrId of namesOrIds) {
      const { record, variant, reference } = resolveImage(this.#records, nameOrId, undefined, this.#platform);
      const saved = images.get(record.target.digest) ?? { image: this.#image(record, variant), references: [] };
      if (reference !== undefined && reference !== "")
        saved.references.push(familiarReference(parseReference(reference)));
      images.set(record.target.digest, saved);
    }
    return saveImages(this.#blobs, [...images.values()]);
  }

  /** The uncompressed tar of a layer; the iteration throws at its end when a digest does not fit. */
  layerStream({ descriptor, diffID }: ImageLayer): AsyncIterable<Uint8Array> {
    return layerStream(this.#blobs, this.#ports, descriptor, diffID);
  }

  /**
   * The layers of an image in memory, lowest first: for the Wasm sandbox and for looking into images. `maxBytes` bounds each layer,
   * default 4 GiB: `ERR_LAP_LIMIT`.
   */
  async loadTrees(
    image: Image,
    options: { readonly signal?: AbortSignal; readonly maxBytes?: number } = {},
  ): Promise<LayerTree[]> {
    const trees: LayerTree[] = [];
    const [program] = image.manifest.layers;
    if (program !== undefined && isWasmArtifact(image.manifest)) {
      return [wasmArtifactTree(this.#blobs.read(program.digest, program.size))];
    }
    const maxBytes = options.maxBytes ?? MAX_MEMORY_LAYER_BYTES;
    for (const { descriptor, diffID } of image.layers) {
      options.signal?.throwIfAborted();
      trees.push(await treeFromStream(layerStream(this.#blobs, this.#ports, descriptor, diffID, maxBytes)));
    }
    return trees;
  }

  /** Deletes what no image needs. */
  gc(): GcResult {
    const context = { dir: this.#dir, blobs: this.#blobs, records: this.#records, leases: this.#leases };
    return collectGarbage({ ...context, nowSec: this.#ports.clock.now().sec });
  }

  /** Looks for damage and waste; empty when all is well. */
  async check(options: CheckOptions = {}): Promise<StoreProblem[]> {
    const own = new LayoutSource(this.#dir, this.#blobs);
    const rebuild = async (target: Descriptor): Promise<void> => void (await this.import(own, target, []));
    const context = { dir: this.#dir, blobs: this.#blobs, records: this.#records, hash: this.#ports.hash, rebuild };
    return await checkStore(context, options);
  }

  /** Protects new blobs from garbage collection until disposed. */
  lease(): Disposable {
    return this.#leases.acquire();
  }

  [Symbol.dispose](): void {
    this.#records[Symbol.dispose]();
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function refuseManyRepositories(id: string, references: readonly string[], force: boolean): void {
  const repositories = new Set(references.map((reference) => familiarName(parseReference(reference))));
  if (repositories.size < 2 || force) return;
  throw new LapError(
    "conflict",
    "ERR_LAP_IMAGE_IN_USE",
    `unable to delete ${id} (must be forced) - image is referenced in multiple repositories`,
    { hint: "remove it by name, or use --force" },
  );
}
