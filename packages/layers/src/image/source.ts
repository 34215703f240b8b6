// Where a load takes blobs from: an OCI layout in a directory, or an archive that was spooled into the store's ingest folder.
import { LapError, digestAlgorithm, digestHex, type Descriptor, type Digest, type DirFs } from "@lapstrake/base";
import type { BlobStore, StagedBlob } from "./blobs.ts";
import { readFile, streamFile } from "./files.ts";

/** Blobs by descriptor: a layout, an archive, a registry. */
export interface BlobSource {
  /** The blob staged in the store and verified against its descriptor; undefined when the source does not have it. */
  stage(descriptor: Descriptor): Promise<StagedBlob | undefined>;
  /** The import has failed: what is still on its way is not waited for and may fail with `reason`. */
  abandon?(reason: unknown): void;
}

/** A layout or archive: blobs, and the document that lists the images. */
export interface ArchiveSource extends BlobSource {
  /** Bytes of a named file of the layout or archive. */
  file(name: string, maxBytes: number): Uint8Array | undefined;
  /** The staged blob of a file of an archive, by its path. */
  member(name: string): StagedBlob | undefined;
  close(): void;
}

/** An OCI layout in a directory. */
export class LayoutSource implements ArchiveSource {
  readonly #dir: DirFs;
  readonly #blobs: BlobStore;

  constructor(dir: DirFs, blobs: BlobStore) {
    this.#dir = dir;
    this.#blobs = blobs;
  }

  async stage({ digest, size }: Descriptor): Promise<StagedBlob | undefined> {
    const path = `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
    const stat = this.#dir.stat(path);
    if (stat === undefined) return undefined;
    if (stat.type !== "file")
      throw new LapError("invalidArgument", "ERR_LAP_ARCHIVE_INVALID", `blob ${digest} is not a regular file`);
    return await this.#blobs.stage(streamFile(this.#dir, path), { digest, size });
  }

  file(name: string, maxBytes: number): Uint8Array | undefined {
    return readFile(this.#dir, name, maxBytes);
  }

  member(): undefined {
    return undefined;
  }

  close(): void {
    // The caller's directory stays open.
  }
}

/** The regular files of an archive, staged one by one; links of old `docker save` archives are names of their target. */
export class SpooledSource implements ArchiveSource {
  readonly #blobs: BlobStore;
  readonly #files: Map<string, StagedBlob>;
  readonly #byDigest = new Map<Digest, StagedBlob>();
  readonly #taken = new Set<string>();

  constructor(blobs: BlobStore, files: Map<string, StagedBlob>) {
    this.#blobs = blobs;
    this.#files = files;
    for (const staged of files.values()) this.#byDigest.set(staged.digest, staged);
  }

  async stage({ digest, size }: Descriptor): Promise<StagedBlob | undefined> {
    const staged = this.#byDigest.get(digest);
    if (staged === undefined) return await Promise.resolve(undefined);
    if (staged.size !== size) {
      throw new LapError(
        "dataLoss",
        "ERR_LAP_SIZE_MISMATCH",
        `blob ${digest} has ${staged.size} bytes, its descriptor says ${size}`,
      );
    }
    this.#taken.add(staged.path);
    return staged;
  }

  file(name: string, maxBytes: number): Uint8Array | undefined {
    const staged = this.#files.get(name);
    return staged === undefined ? undefined : this.#blobs.readStaged(staged, maxBytes);
  }

  member(name: string): StagedBlob | undefined {
    return this.#files.get(name);
  }

  /** Removes what nobody took. */
  close(): void {
    for (const staged of new Set(this.#files.values())) this.#blobs.discard(staged);
  }
}
