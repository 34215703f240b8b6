// OCI layouts (image-spec image-layout.md) as places to read images from and write them to, for copy.
import {
  LapError,
  MAX_MANIFEST_BYTES,
  digestAlgorithm,
  digestHex,
  type Descriptor,
  type DirFs,
  type HashPort,
  type ImageIndex,
} from "@lapstrake/base";
import { BlobStore } from "../image/blobs.ts";
import { parseIndex } from "../image/documents.ts";
import { readFile, streamFile, writeAtomic } from "../image/files.ts";
import { verified, verifyBytes } from "./body.ts";
import type { BlobOutcome, ContentSink, ContentSource } from "./content.ts";

const INDEX = "index.json";
const MARK = "oci-layout";
const MARK_TEXT = `{"imageLayoutVersion":"1.0.0"}`;
const REF_NAME = "org.opencontainers.image.ref.name";

function entriesOf(dir: DirFs): readonly Descriptor[] {
  const bytes = readFile(dir, INDEX, MAX_MANIFEST_BYTES);
  return bytes === undefined ? [] : parseIndex(bytes).manifests;
}

function noEntry(name: string | undefined, names: readonly string[]): LapError {
  const message = name === undefined ? "the layout holds several images" : `the layout has no image "${name}"`;
  return new LapError("notFound", "ERR_LAP_NO_IMAGE", message, {
    hint: `it has ${names.join(", ") || "none with a name"}`,
  });
}

/** An image of a layout that is only read. */
class LayoutContent implements ContentSource {
  readonly root: Descriptor;
  readonly #dir: DirFs;
  readonly #hash: HashPort;

  constructor(dir: DirFs, hash: HashPort, root: Descriptor) {
    this.#dir = dir;
    this.#hash = hash;
    this.root = root;
  }

  document(descriptor: Descriptor): Promise<Uint8Array> {
    const bytes = readFile(this.#dir, pathOf(descriptor), MAX_MANIFEST_BYTES);
    if (bytes === undefined) return Promise.reject(missing(descriptor));
    verifyBytes(this.#hash, descriptor, bytes);
    return Promise.resolve(bytes);
  }

  blob(descriptor: Descriptor): AsyncIterable<Uint8Array> {
    if (this.#dir.stat(pathOf(descriptor)) === undefined) throw missing(descriptor);
    return verified(this.#hash, descriptor, streamFile(this.#dir, pathOf(descriptor)));
  }
}

function pathOf({ digest }: Descriptor): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

function missing({ digest }: Descriptor): LapError {
  return new LapError("notFound", "ERR_LAP_BLOB_MISSING", `blob ${digest} is not in the layout`);
}

/** The image of a layout that its annotation names `name`; without a name, its only one. Throws `ERR_LAP_NO_IMAGE`. */
export function layoutSource(dir: DirFs, hash: HashPort, name?: string): ContentSource {
  const entries = entriesOf(dir);
  const found = name === undefined ? entries : entries.filter((entry) => entry.annotations?.[REF_NAME] === name);
  const names = entries.flatMap((entry) => entry.annotations?.[REF_NAME] ?? []);
  if (found.length !== 1) throw noEntry(name, names);
  const { mediaType, digest, size } = found[0]!;
  return new LayoutContent(dir, hash, { mediaType, digest, size });
}

/** A layout that gets an image under `name`; made when the directory is empty. One writer at a time. */
export class LayoutSink implements ContentSink {
  readonly #dir: DirFs;
  readonly #blobs: BlobStore;
  readonly #name: string | undefined;

  constructor(dir: DirFs, hash: HashPort, name?: string) {
    this.#dir = dir;
    this.#blobs = new BlobStore(dir, hash);
    this.#name = name;
  }

  /** A document alone says nothing about what is below it, so all is looked at. */
  hasDocument(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async putBlob(descriptor: Descriptor, open: () => AsyncIterable<Uint8Array>): Promise<BlobOutcome> {
    if (this.#blobs.size(descriptor.digest) === descriptor.size) return { kind: "present" };
    await this.#blobs.ingest(open(), descriptor);
    return { kind: "written" };
  }

  async putDocument(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    await this.#blobs.ingest(once(bytes), descriptor);
  }

  finish({ mediaType, digest, size }: Descriptor): Promise<void> {
    const entry: Descriptor = {
      mediaType,
      digest,
      size,
      ...(this.#name === undefined ? {} : { annotations: { [REF_NAME]: this.#name } }),
    };
    const others = entriesOf(this.#dir).filter((other) => !this.#replaces(other, entry));
    const index: ImageIndex = { schemaVersion: 2, manifests: [...others, entry] };
    writeAtomic(this.#dir, MARK, new TextEncoder().encode(MARK_TEXT));
    writeAtomic(this.#dir, INDEX, new TextEncoder().encode(JSON.stringify(index)));
    for (const folder of ["ingest", "blobs/sha512"]) removeEmpty(this.#dir, folder);
    return Promise.resolve();
  }

  #replaces(other: Descriptor, entry: Descriptor): boolean {
    const name = other.annotations?.[REF_NAME];
    return name === this.#name && (name !== undefined || other.digest === entry.digest);
  }
}

function removeEmpty(dir: DirFs, folder: string): void {
  if (dir.readdir(folder).length === 0) dir.rmdir(folder);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
