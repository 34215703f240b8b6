// What the store knows besides blobs: images/<hex> (one per loaded target) and refs/<hash> (one per name), JSON files that
// appear and change by rename. The name goes last in, first out.
import {
  LapError,
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
import { ensureDir, isImageDamage, readFile, removeFile, writeAtomic } from "./files.ts";

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

/** What every record says; of one that was read it is not known yet. */
interface Targeted {
  readonly target?: Descriptor;
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

  /** Without the damaged ones, see {@link Records.damaged}. */
  images(): ImageRecord[] {
    return readAll<ImageRecord>(this.#images);
  }

  /** Without the damaged ones. */
  refs(): RefRecord[] {
    return readAll<RefRecord>(this.#refs);
  }

  /** Names of the files in images/ and refs/ that say nothing. */
  damaged(): { readonly images: readonly string[]; readonly refs: readonly string[] } {
    return { images: unreadable(this.#images), refs: unreadable(this.#refs) };
  }

  /** Gives a damaged file a name under which nobody looks for it. */
  putAside(folder: "images" | "refs", name: string): void {
    (folder === "images" ? this.#images : this.#refs).rename(name, `damaged-${name}`);
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

function namesIn(dir: DirFs): string[] {
  const names = dir.readdir("").map(({ name }) => name);
  return names.filter((name) => /^[a-f0-9]+$/.test(name)).toSorted();
}

function readAll<T extends Targeted>(dir: DirFs): T[] {
  return namesIn(dir).flatMap((name) => orDamaged(() => readOne<T>(dir, name)) ?? []);
}

function unreadable(dir: DirFs): string[] {
  return namesIn(dir).filter((name) => orDamaged(() => readOne(dir, name) ?? true) === undefined);
}

/** Undefined for a file that is damaged or cannot be read: the others may be well. */
function orDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isImageDamage(error)) return undefined;
    throw error;
  }
}

function readOne<T extends Targeted>(dir: DirFs, name: string): T | undefined {
  const bytes = readFile(dir, toByteString(name), MAX_RECORD_BYTES);
  if (bytes === undefined) return undefined;
  const what = `store record "${name}"`;
  const record = parseJsonObject(bytes, what, MAX_RECORD_BYTES) as unknown as T;
  if (typeof record.target?.digest === "string") return record;
  throw new LapError("dataLoss", "ERR_LAP_RECORD_INVALID", `invalid ${what}`);
}
