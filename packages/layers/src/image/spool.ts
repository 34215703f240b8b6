// An image archive as a stream (plain, gzip or zstd) -> its files, each hashed while it is written under ingest/. The archive's
// names are only keys: nothing is ever written under a name the archive chose.
import { LapError, fromByteString } from "@lapstrake/base";
import { MAX_ARCHIVE_FILES } from "../limits.ts";
import type { TarMember } from "../tar/member.ts";
import { TarParser, type TarSink } from "../tar/parser.ts";
import type { BlobStore, StagedBlob, Staging } from "./blobs.ts";
import { withoutManifest } from "./docker-archive.ts";
import { sniffCompression } from "./documents.ts";
import type { StorePorts } from "./ports.ts";

/** Stages every regular file of the archive, by its cleaned name. */
export async function spoolArchive(
  stream: AsyncIterable<Uint8Array>,
  blobs: BlobStore,
  ports: StorePorts,
  signal?: AbortSignal,
): Promise<Map<string, StagedBlob>> {
  const spool = new Spool(blobs);
  try {
    const parser = new TarParser(spool);
    for await (const chunk of await plain(stream, ports)) {
      signal?.throwIfAborted();
      parser.push(chunk);
    }
    parser.finish();
    return spool.finish();
  } catch (error) {
    spool.abort();
    throw error;
  }
}

/** The archive without its compression. */
async function plain(stream: AsyncIterable<Uint8Array>, ports: StorePorts): Promise<AsyncIterable<Uint8Array>> {
  const iterator = stream[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let length = 0;
  while (length < 4) {
    const next = await iterator.next();
    if (next.done === true) break;
    head.push(next.value);
    length += next.value.length;
  }
  if (length === 0) throw withoutManifest();
  const format = sniffCompression(firstBytes(head));
  const whole = rejoin(head, iterator);
  return format === undefined ? whole : ports.compression.decompress(format, whole);
}

function firstBytes(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(chunks.flatMap((chunk) => [...chunk.subarray(0, 4)]).slice(0, 4));
}

async function* rejoin(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

class Spool implements TarSink {
  readonly #blobs: BlobStore;
  readonly #files = new Map<string, StagedBlob>();
  readonly #links: [string, string][] = [];
  #open: { readonly name: string; readonly staging: Staging } | undefined;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  member(member: TarMember): void {
    const name = clean(fromByteString(member.path));
    if (this.#files.size + this.#links.length >= MAX_ARCHIVE_FILES) {
      throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", `the archive has more than ${MAX_ARCHIVE_FILES} files`);
    }
    if (member.type === "file") this.#open = { name, staging: this.#blobs.staging() };
    else if (member.type === "symlink")
      this.#links.push([name, clean(`${parent(name)}/${fromByteString(member.target)}`)]);
    else if (member.type === "hardlink") this.#links.push([name, clean(fromByteString(member.target))]);
  }

  data(bytes: Uint8Array, _position: number): void {
    this.#open?.staging.write(bytes);
  }

  end(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const staged = open.staging.finish();
    const old = this.#files.get(open.name);
    if (old !== undefined) this.#blobs.discard(old);
    this.#files.set(open.name, staged);
  }

  finish(): Map<string, StagedBlob> {
    // A link may point to a link; archives have chains of one or two.
    for (let round = 0; round < 8; round++) {
      for (const [name, target] of this.#links) {
        const staged = this.#files.get(target);
        if (staged !== undefined && !this.#files.has(name)) this.#files.set(name, staged);
      }
    }
    return this.#files;
  }

  abort(): void {
    this.#open?.staging.abort();
    for (const staged of new Set(this.#files.values())) this.#blobs.discard(staged);
  }
}

function parent(name: string): string {
  const slash = name.lastIndexOf("/");
  return slash < 0 ? "" : name.slice(0, slash);
}

function clean(path: string): string {
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return out.join("/");
}
