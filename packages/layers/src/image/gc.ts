// Garbage collection by reachability: blobs that no record needs go away. Leases protect what is just coming in; a blob is first
// moved aside, and comes back when a lease appeared meanwhile.
import {
  LapError,
  MAX_MANIFEST_BYTES,
  digestAlgorithm,
  digestHex,
  errorCode,
  type Descriptor,
  type Digest,
  type DirFs,
} from "@lapstrake/base";
import type { BlobStore } from "./blobs.ts";
import { parseTarget } from "./documents.ts";
import { failpoint } from "./failpoint.ts";
import { ensureDir, removeFile } from "./files.ts";
import { LEASE_MAX_AGE_SEC, type Leases } from "./leases.ts";
import type { ImageRecord, Records } from "./records.ts";

/** What a collection freed. */
export interface GcResult {
  readonly blobs: number;
  /** Bytes on disk. */
  readonly bytes: number;
}

export interface GcContext {
  readonly dir: DirFs;
  readonly blobs: BlobStore;
  readonly records: Records;
  readonly leases: Leases;
  readonly nowSec: number;
}

const CLOCK_SLACK_SEC = 2;

export function collectGarbage(context: GcContext): GcResult {
  const { blobs, records, leases } = context;
  sweepIngest(context);
  const damaged = records.damaged();
  // What an image needs whose record says nothing is not known: `check` mends it.
  if (damaged.images.length > 0) return { blobs: 0, bytes: 0 };
  const kept = reachable(blobs, records.images());
  const since = leases.oldest();
  let freed = { blobs: 0, bytes: 0 };
  for (const blob of blobs.list()) {
    if (kept.has(blob.digest) || (since !== undefined && blob.mtimeSec >= since - CLOCK_SLACK_SEC)) continue;
    if (dropBlob(context, blob.digest)) freed = { blobs: freed.blobs + 1, bytes: freed.bytes + blob.size };
  }
  return freed;
}

/** Moves a blob aside, looks for leases again, and only then deletes it. */
function dropBlob({ dir, leases }: GcContext, digest: Digest): boolean {
  ensureDir(dir, "trash");
  const from = `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
  const aside = `trash/${digestHex(digest)}`;
  failpoint("gc.move");
  if (!tryRename(dir, from, aside)) return false;
  if (leases.oldest() !== undefined) {
    tryRename(dir, aside, from);
    return false;
  }
  failpoint("gc.delete");
  return removeFile(dir, aside);
}

function tryRename(dir: DirFs, from: string, to: string): boolean {
  try {
    dir.rename(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Left-over downloads and trash of processes that died. */
function sweepIngest({ dir, nowSec }: GcContext): void {
  for (const folder of ["ingest", "trash"]) {
    if (dir.stat(folder) === undefined) continue;
    for (const { name } of dir.readdir(folder)) {
      const stat = dir.stat(`${folder}/${name}`);
      if (stat !== undefined && nowSec - stat.mtime.sec > LEASE_MAX_AGE_SEC) removeFile(dir, `${folder}/${name}`);
    }
  }
}

/** Digests that the records need, as far as they are here. */
export function reachable(blobs: BlobStore, records: readonly ImageRecord[]): Set<Digest> {
  const seen = new Set<Digest>();
  for (const { target, variants } of records) {
    mark(blobs, target, seen);
    for (const { manifest } of variants) mark(blobs, manifest, seen);
  }
  return seen;
}

function mark(blobs: BlobStore, descriptor: Descriptor, seen: Set<Digest>): void {
  if (seen.has(descriptor.digest) || blobs.size(descriptor.digest) === undefined) return;
  seen.add(descriptor.digest);
  const document = readDocument(blobs, descriptor);
  if (document === undefined) return;
  if (document.kind === "index") {
    for (const entry of document.index.manifests) if (/manifest|index/.test(entry.mediaType)) mark(blobs, entry, seen);
    return;
  }
  seen.add(document.manifest.config.digest);
  for (const layer of document.manifest.layers) seen.add(layer.digest);
}

/** A damaged document keeps itself and nothing else: `check` reports it. */
function readDocument(blobs: BlobStore, { digest, mediaType }: Descriptor): ReturnType<typeof parseTarget> | undefined {
  try {
    return parseTarget(blobs.read(digest, MAX_MANIFEST_BYTES), mediaType);
  } catch (error) {
    if (error instanceof LapError) return undefined;
    throw error;
  }
}
