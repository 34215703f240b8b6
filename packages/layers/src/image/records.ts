// What the store knows besides blobs: images/<hex> (one per loaded target) and refs/<hash> (one per name), JSON files that
// appear and change by rename. The name goes last in, first out.
import {
  formatReference,
  parseJsonObject,
  parseReference,
  toByteString,
  digestHex,
  type Descriptor,
  type Digest,
  type DirFs,
  type HashPort,
  type Platform,
  type Reference,
} from "@lapstrake/base";
import { failpoint } from "./failpoint.ts";
import { ensureDir, readFile, removeFile, writeAtomic } from "./files.ts";

/** One manifest of a stored target that is here whole. */
export interface ImageVariant {
  /** Config digest: the IMAGE ID. */
  readonly id: Digest;
  readonly manifest: Descriptor;
  readonly platform: Platform;
  /** Bytes of all layers, unpacked. */
  readonly unpackedBytes: number;
}

/** A stored target: a manifest, or an index of several. */
export interface ImageRecord {
  readonly version: 1;
  readonly target: Descriptor;
  readonly variants: readonly ImageVariant[];
  /** When it came here, seconds since the epoch. */
  readonly addedSec: number;
}

/** A name of a target. */
export interface RefRecord {
  readonly version: 1;
  /** Canonical: `docker.io/library/alpine:3.20`. */
  readonly reference: string;
  readonly target: Descriptor;
}

const MAX_RECORD_BYTES = 1024 * 1024;

/** Disposing closes the two folders; the store's own is its opener's. */
export class Records implements Disposable {
  readonly #images: DirFs;
  readonly #refs: DirFs;
  readonly #hash: HashPort;

  constructor(dir: DirFs, hash: HashPort) {
    ensureDir(dir, "images");
    ensureDir(dir, "refs");
    this.#images = dir.openDir("images");
    this.#refs = dir.openDir("refs");
    this.#hash = hash;
  }

  [Symbol.dispose](): void {
    this.#images.close();
    this.#refs.close();
  }

  images(): ImageRecord[] {
    return readAll<ImageRecord>(this.#images);
  }

  refs(): RefRecord[] {
    return readAll<RefRecord>(this.#refs);
  }

  image(target: Digest): ImageRecord | undefined {
    return readOne<ImageRecord>(this.#images, digestHex(target));
  }

  ref(reference: Reference): RefRecord | undefined {
    return readOne<RefRecord>(this.#refs, this.#refName(formatReference(reference)));
  }

  putImage(record: ImageRecord): void {
    failpoint("record.image");
    writeAtomic(this.#images, digestHex(record.target.digest), encode(record));
  }

  putRef(reference: string, target: Descriptor): void {
    const canonical = formatReference(parseReference(reference));
    failpoint("record.ref");
    writeAtomic(
      this.#refs,
      this.#refName(canonical),
      encode({ version: 1, reference: canonical, target } satisfies RefRecord),
    );
  }

  removeImage(target: Digest): void {
    failpoint("record.remove");
    removeFile(this.#images, digestHex(target));
    this.#images.fsync();
  }

  removeRef(reference: string): boolean {
    const removed = removeFile(this.#refs, this.#refName(reference));
    this.#refs.fsync();
    return removed;
  }

  /** References are longer than file names may be: their hash is the name. */
  #refName(reference: string): string {
    return digestHex(this.#hash.digest("sha256", new TextEncoder().encode(reference)));
  }

  close(): void {
    this.#images.close();
    this.#refs.close();
  }
}

function encode(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 1)}\n`);
}

function readAll<T>(dir: DirFs): T[] {
  const names = dir.readdir("").map(({ name }) => name);
  return names
    .filter((name) => /^[a-f0-9]+$/.test(name))
    .toSorted()
    .flatMap((name) => readOne<T>(dir, name) ?? []);
}

function readOne<T>(dir: DirFs, name: string): T | undefined {
  const bytes = readFile(dir, toByteString(name), MAX_RECORD_BYTES);
  if (bytes === undefined) return undefined;
  return parseJsonObject(bytes, `store record "${name}"`, MAX_RECORD_BYTES) as unknown as T;
}
