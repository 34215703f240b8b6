// `system check` for the image store: every name leads to a record, every record to whole and unchanged blobs; what nobody needs is
// listed. Repair deletes what is broken, names first, so that a new pull or load heals it.
import {
  LapError,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPE,
  digestOf,
  digestAlgorithm,
  errorCode,
  parseDigest,
  parseJsonObject,
  type Descriptor,
  type Digest,
  type DirFs,
  type HashPort,
} from "@lapstrake/base";
import type { BlobStore } from "./blobs.ts";
import { parseTarget } from "./documents.ts";
import { isImageDamage, removeFile } from "./files.ts";
import { reachable } from "./gc.ts";
import type { ImageRecord, Records } from "./records.ts";

/** One thing that is not as it should be. */
export interface StoreProblem {
  /** `unreferenced` and `leftover` are waste, the others are damage. */
  readonly kind:
    | "missingBlob"
    | "damagedBlob"
    | "unreadableBlob"
    | "damagedRecord"
    | "danglingReference"
    | "unreferenced"
    | "leftover";
  /** A digest, a reference or a path. */
  readonly subject: string;
  readonly repaired: boolean;
}

export interface CheckContext {
  readonly dir: DirFs;
  readonly blobs: BlobStore;
  readonly records: Records;
  readonly hash: HashPort;
  /** Writes the record of a target again, from its blobs. */
  readonly rebuild: (target: Descriptor) => Promise<void>;
}

const SHA512_HEX = 128;

/** How thorough to be. */
export interface CheckOptions {
  /** Compare sizes only, instead of hashing every blob. */
  readonly quick?: boolean;
  /** Delete what is broken and what nobody needs; nothing else may use the store meanwhile. */
  readonly repair?: boolean;
}

export async function checkStore(context: CheckContext, options: CheckOptions): Promise<StoreProblem[]> {
  const repaired = options.repair === true;
  const problems: StoreProblem[] = await damagedRecords(context, repaired);
  for (const record of context.records.images()) problems.push(...(await checkImage(context, record, options)));
  problems.push(...danglingReferences(context, repaired));
  // What an image needs whose manifest the disk does not give is not known.
  if (!problems.some(({ kind }) => kind === "unreadableBlob")) problems.push(...unreferenced(context, repaired));
  problems.push(...leftovers(context, repaired));
  return problems;
}

/** Records that say nothing are put aside; an image's is written again when its blobs are whole. */
async function damagedRecords(context: CheckContext, repaired: boolean): Promise<StoreProblem[]> {
  const { images, refs } = context.records.damaged();
  if (repaired) {
    for (const name of refs) context.records.putAside("refs", name);
    for (const name of images) await rebuildImage(context, name);
  }
  const subjects = [...images.map((name) => `images/${name}`), ...refs.map((name) => `refs/${name}`)];
  return subjects.map((subject) => ({ kind: "damagedRecord", subject, repaired }));
}

async function rebuildImage({ records, blobs, rebuild }: CheckContext, name: string): Promise<void> {
  records.putAside("images", name);
  try {
    const digest = parseDigest(`${name.length === SHA512_HEX ? "sha512" : "sha256"}:${name}`);
    const bytes = blobs.read(digest, MAX_MANIFEST_BYTES);
    const { mediaType } = parseJsonObject(bytes, digest, MAX_MANIFEST_BYTES);
    const type = typeof mediaType === "string" ? mediaType : MEDIA_TYPE.manifest;
    await rebuild({ mediaType: type, digest, size: bytes.length });
  } catch (error) {
    // Not all of its blobs are here or whole: then it has to come again.
    if (!(error instanceof LapError)) throw error;
  }
}

async function checkImage(context: CheckContext, record: ImageRecord, options: CheckOptions): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  const repaired = options.repair === true;
  for (const descriptor of needed(context.blobs, record)) {
    const kind = await blobProblem(context, descriptor, options.quick === true);
    if (kind === undefined) continue;
    // The disk may give it another time: that is no reason to delete anything.
    problems.push({ kind, subject: descriptor.digest, repaired: repaired && kind !== "unreadableBlob" });
    if (repaired && kind === "damagedBlob") context.blobs.remove(descriptor.digest);
  }
  if (repaired && problems.some(({ kind }) => kind !== "unreadableBlob")) {
    for (const ref of context.records.refs())
      if (ref.target.digest === record.target.digest) context.records.removeRef(ref.reference);
    context.records.removeImage(record.target.digest);
  }
  return problems;
}

/** Blobs of the variants that this store holds. */
function needed(blobs: BlobStore, record: ImageRecord): Descriptor[] {
  const out = new Map<Digest, Descriptor>([[record.target.digest, record.target]]);
  for (const { manifest } of record.variants) {
    out.set(manifest.digest, manifest);
    for (const descriptor of parts(blobs, manifest)) out.set(descriptor.digest, descriptor);
  }
  return [...out.values()];
}

function parts(blobs: BlobStore, manifest: Descriptor): readonly Descriptor[] {
  try {
    const document = parseTarget(blobs.read(manifest.digest, MAX_MANIFEST_BYTES), manifest.mediaType);
    return document.kind === "manifest" ? [document.manifest.config, ...document.manifest.layers] : [];
  } catch (error) {
    // The manifest itself is reported; what it refers to is unknown.
    if (isImageDamage(error)) return [];
    throw error;
  }
}

async function blobProblem(
  { blobs, hash }: CheckContext,
  { digest, size }: Descriptor,
  quick: boolean,
): Promise<"missingBlob" | "damagedBlob" | "unreadableBlob" | undefined> {
  const actual = blobs.size(digest);
  if (actual === undefined) return "missingBlob";
  if (actual !== size) return "damagedBlob";
  if (quick) return undefined;
  const algorithm = digestAlgorithm(digest) === "sha512" ? "sha512" : "sha256";
  const hasher = hash.create(algorithm);
  try {
    for await (const chunk of blobs.streamUnverified(digest)) hasher.update(chunk);
  } catch (error) {
    if (errorCode(error) === "EIO") return "unreadableBlob";
    throw error;
  }
  return digestOf(hasher.hex(), algorithm) === digest ? undefined : "damagedBlob";
}

function danglingReferences({ records }: CheckContext, repaired: boolean): StoreProblem[] {
  if (records.damaged().images.length > 0) return [];
  return records.refs().flatMap(({ reference, target }) => {
    if (records.image(target.digest) !== undefined) return [];
    if (repaired) records.removeRef(reference);
    return [{ kind: "danglingReference" as const, subject: reference, repaired }];
  });
}

function unreferenced({ blobs, records }: CheckContext, repaired: boolean): StoreProblem[] {
  // Whose blobs they are is not known yet.
  if (records.damaged().images.length > 0) return [];
  const kept = reachable(blobs, records.images());
  return [...blobs.list()].flatMap(({ digest }) => {
    if (kept.has(digest)) return [];
    if (repaired) blobs.remove(digest);
    return [{ kind: "unreferenced" as const, subject: digest, repaired }];
  });
}

function leftovers({ dir }: CheckContext, repaired: boolean): StoreProblem[] {
  return ["ingest", "trash", "leases", "images", "refs"].flatMap((folder) =>
    dir.readdir(folder).flatMap(({ name }) => {
      const path = `${folder}/${name}`;
      if ((folder === "images" || folder === "refs") && !name.startsWith(".tmp-")) return [];
      if (repaired) removeFile(dir, path);
      return [{ kind: "leftover" as const, subject: path, repaired }];
    }),
  );
}
