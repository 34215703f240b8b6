// The content store: blobs/<algorithm>/<hex>, each written under ingest/, hashed, synced and renamed into place. A blob that is
// there is whole (OCI image-layout.md "Blobs").
import {
  LapError,
  digestAlgorithm,
  digestHex,
  digestOf,
  parseDigest,
  type ByteString,
  type Digest,
  type DirFs,
  type HashPort,
} from "@lapstrake/base";
import { failpoint } from "./failpoint.ts";
import { ensureDir, randomName, readFile, removeFile, streamFile } from "./files.ts";

/** What a blob must turn out to be. */
export interface Expected {
  readonly digest?: Digest | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
}

/** A stored blob. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly size: number;
}

export class BlobStore {
  readonly #dir: DirFs;
  readonly #hash: HashPort;

  constructor(dir: DirFs, hash: HashPort) {
    this.#dir = dir;
    this.#hash = hash;
    for (const path of ["blobs", "blobs/sha256", "blobs/sha512", "ingest"]) ensureDir(dir, path);
  }

  /** Bytes of a blob, undefined when it is not here. */
  size(digest: Digest): number | undefined {
    return this.#dir.stat(blobPath(digest))?.size;
  }

  /** Whole and verified bytes of a small blob. Throws `ERR_LAP_BLOB_MISSING`, `ERR_LAP_DIGEST_MISMATCH`, `ERR_LAP_LIMIT`. */
  read(digest: Digest, maxBytes: number): Uint8Array {
    const bytes = readFile(this.#dir, blobPath(digest), maxBytes);
    if (bytes === undefined) throw missing(digest);
    const actual = this.#hash.digest(algorithm(digest), bytes);
    if (actual !== digest) throw mismatch(digest, actual);
    return bytes;
  }

  /** Chunks of a blob; the reader gets an error at the end when they do not have the digest. */
  async *stream(digest: Digest): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.size(digest) === undefined) throw missing(digest);
    const hasher = this.#hash.create(algorithm(digest));
    for await (const chunk of streamFile(this.#dir, blobPath(digest))) {
      hasher.update(chunk);
      yield chunk;
    }
    const actual = digestOf(hasher.hex(), digestAlgorithm(digest));
    if (actual !== digest) throw mismatch(digest, actual);
  }

  /** Chunks of a blob as they lie on disk. */
  streamUnverified(digest: Digest): AsyncIterable<Uint8Array> {
    return streamFile(this.#dir, blobPath(digest));
  }

  /** Removes a blob; false when it was not here. For repair: collection goes through the trash. */
  remove(digest: Digest): boolean {
    return removeFile(this.#dir, blobPath(digest));
  }

  /** Stores a stream; nothing is visible unless it has the expected digest and size. Throws `ERR_LAP_DIGEST_MISMATCH`. */
  async ingest(chunks: AsyncIterable<Uint8Array>, expected: Expected = {}): Promise<StoredBlob> {
    const staged = await this.stage(chunks, expected);
    this.publish(staged);
    return staged;
  }

  /** Writes a stream to ingest/ and verifies it; {@link publish} or {@link discard} must follow. */
  async stage(chunks: AsyncIterable<Uint8Array>, expected: Expected = {}): Promise<StagedBlob> {
    const staging = new Staging(this.#dir, this.#hash, expected);
    try {
      for await (const chunk of chunks) staging.write(chunk);
      return staging.finish();
    } catch (error) {
      staging.abort();
      throw error;
    }
  }

  /** A stream that is written as its chunks are pushed. */
  staging(expected: Expected = {}): Staging {
    return new Staging(this.#dir, this.#hash, expected);
  }

  /** Makes a staged blob visible under its digest. */
  publish(staged: StagedBlob): void {
    const algorithmDir = `blobs/${digestAlgorithm(staged.digest)}`;
    failpoint("blob.publish");
    this.#dir.rename(staged.path, blobPath(staged.digest));
    failpoint("blob.published");
    using dir = this.#dir.openDir(algorithmDir);
    dir.fsync();
  }

  discard(staged: StagedBlob): void {
    removeFile(this.#dir, staged.path);
  }

  /** Chunks of a staged blob. */
  streamStaged(staged: StagedBlob): AsyncIterable<Uint8Array> {
    return streamFile(this.#dir, staged.path);
  }

  /** Whole bytes of a small staged blob. */
  readStaged(staged: StagedBlob, maxBytes: number): Uint8Array {
    return readFile(this.#dir, staged.path, maxBytes)!;
  }

  /** Says that somebody needs the blob now: garbage collection leaves young blobs to whoever holds a lease. */
  touch(digest: Digest, now: { readonly sec: number; readonly nsec: number }): boolean {
    if (this.size(digest) === undefined) return false;
    this.#dir.utimes(blobPath(digest), now, now);
    return true;
  }

  /** Every blob with its size and time of last need (seconds). */
  *list(): Iterable<StoredBlob & { readonly mtimeSec: number }> {
    for (const name of ["sha256", "sha512"]) {
      for (const entry of this.#dir.readdir(`blobs/${name}`)) {
        const stat = this.#dir.stat(`blobs/${name}/${entry.name}`);
        if (stat !== undefined && !entry.name.startsWith(".")) {
          yield { digest: parseDigest(`${name}:${entry.name}`), size: stat.size, mtimeSec: stat.mtime.sec };
        }
      }
    }
  }
}

/** A verified blob that is not visible yet. */
export interface StagedBlob extends StoredBlob {
  /** Path in the store. */
  readonly path: ByteString;
}

/** One file under ingest/ while it is written. */
export class Staging {
  readonly #dir: DirFs;
  readonly #path: ByteString;
  readonly #expected: Expected;
  readonly #hasher: ReturnType<HashPort["create"]>;
  readonly #algorithm: "sha256" | "sha512";
  #file: ReturnType<DirFs["open"]> | undefined;
  #size = 0;

  constructor(dir: DirFs, hash: HashPort, expected: Expected) {
    this.#dir = dir;
    this.#expected = expected;
    this.#algorithm = expected.digest === undefined ? "sha256" : algorithm(expected.digest);
    this.#hasher = hash.create(this.#algorithm);
    this.#path = `ingest/${randomName()}`;
    this.#file = dir.open(this.#path, { write: true, create: true, exclusive: true, mode: 0o600 });
    failpoint("ingest.created");
  }

  write(chunk: Uint8Array): void {
    const limit = this.#expected.size;
    if (limit !== undefined && this.#size + chunk.length > limit)
      throw wrongSize(this.#expected, this.#size + chunk.length, "more than");
    this.#file!.write(chunk, 0, chunk.length, this.#size);
    this.#hasher.update(chunk);
    this.#size += chunk.length;
    failpoint("ingest.written");
  }

  finish(): StagedBlob {
    const { size } = this.#expected;
    if (size !== undefined && this.#size !== size) throw wrongSize(this.#expected, this.#size, "not");
    const digest = digestOf(this.#hasher.hex(), this.#algorithm);
    if (this.#expected.digest !== undefined && digest !== this.#expected.digest)
      throw mismatch(this.#expected.digest, digest);
    failpoint("ingest.verified");
    this.#file!.fsync();
    this.#file!.close();
    this.#file = undefined;
    return { digest, size: this.#size, path: this.#path };
  }

  abort(): void {
    this.#file?.close();
    this.#file = undefined;
    removeFile(this.#dir, this.#path);
  }
}

function blobPath(digest: Digest): ByteString {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

function algorithm(digest: Digest): "sha256" | "sha512" {
  return digestAlgorithm(digest) === "sha512" ? "sha512" : "sha256";
}

function missing(digest: Digest): LapError {
  return new LapError("notFound", "ERR_LAP_BLOB_MISSING", `blob ${digest} is not in the store`, {
    hint: "pull or load the image again",
    detail: { digest },
  });
}

/** Content that is not what its digest says. */
export function mismatch(expected: Digest, actual: Digest): LapError {
  return new LapError("dataLoss", "ERR_LAP_DIGEST_MISMATCH", `content has digest ${actual}, not ${expected}`, {
    hint: "the data is damaged or was changed on the way; get it again from a source you trust",
    detail: { expected, actual },
  });
}

function wrongSize(expected: Expected, actual: number, how: string): LapError {
  return new LapError("dataLoss", "ERR_LAP_SIZE_MISMATCH", `content has ${how} ${expected.size} bytes: ${actual}`, {
    detail: { expected: expected.size, actual, digest: expected.digest },
  });
}
