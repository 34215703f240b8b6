// The walk that push, copy and append are: from the root down, blobs before manifests before indexes, the name last. Wherever it
// stops, what is visible at the target is whole.
import { LapError, MAX_MANIFEST_BYTES, type Descriptor } from "@lapstrake/base";
import {
  DEFAULT_PARALLEL,
  type BlobOutcome,
  type ContentSink,
  type ContentSource,
  type TransferOptions,
} from "./content.ts";
import { blobsOf, isDocumentType, parseDocument } from "./documents.ts";
import { MAX_DEPTH, MAX_DOCUMENTS } from "./limits.ts";
import { inParallel } from "./parallel.ts";
import { counted, tell } from "./progress.ts";

function limitError(why: string): LapError {
  return new LapError("resourceExhausted", "ERR_LAP_LIMIT", why);
}

/** True for layers that may only be had from the addresses in their descriptor: they are named, never copied. */
export function isForeign({ mediaType, urls }: Descriptor): boolean {
  return urls !== undefined && urls.length > 0 && /nondistributable|\.foreign\./.test(mediaType);
}

function outcomeText(outcome: BlobOutcome): string {
  if (outcome.kind === "written") return "Pushed";
  return outcome.kind === "present" ? "Layer already exists" : `Mounted from ${outcome.from}`;
}

/** Copies the tree below `root` from `source` to `sink`. */
export async function transfer(
  source: ContentSource,
  sink: ContentSink,
  root: Descriptor,
  options: TransferOptions,
): Promise<void> {
  const walk = new Walk(source, sink, options);
  const bytes = await walk.document(root, 0);
  options.signal?.throwIfAborted();
  await sink.finish(root, bytes ?? (await source.document(root, options)), options);
}

class Walk {
  readonly #source: ContentSource;
  readonly #sink: ContentSink;
  readonly #options: TransferOptions;
  readonly #done = new Set<string>();
  #documents = 0;

  constructor(source: ContentSource, sink: ContentSink, options: TransferOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#options = options;
  }

  /** The document's bytes; undefined when the sink had it already. */
  async document(descriptor: Descriptor, depth: number): Promise<Uint8Array | undefined> {
    this.#options.signal?.throwIfAborted();
    if (depth > MAX_DEPTH) throw limitError("image indexes are nested too deep");
    if (++this.#documents > MAX_DOCUMENTS) throw limitError(`an image with more than ${MAX_DOCUMENTS} manifests`);
    if (descriptor.size > MAX_MANIFEST_BYTES) throw limitError(`manifest ${descriptor.digest} is too large`);
    if (await this.#sink.hasDocument(descriptor, this.#options)) return undefined;
    const bytes = await this.#source.document(descriptor, this.#options);
    const parsed = parseDocument(bytes, descriptor.mediaType);
    if (parsed.target.kind === "manifest") await this.#blobs(blobsOf(parsed.target.manifest));
    else await this.#entries(parsed.target.index.manifests, depth);
    await this.#sink.putDocument(descriptor, bytes, parsed, this.#options);
    return bytes;
  }

  async #entries(entries: readonly Descriptor[], depth: number): Promise<void> {
    for (const entry of entries) {
      if (isDocumentType(entry.mediaType)) await this.document(entry, depth + 1);
      else await this.#blobs([entry]);
    }
  }

  async #blobs(descriptors: readonly Descriptor[]): Promise<void> {
    const wanted = descriptors.filter((descriptor) => !this.#done.has(descriptor.digest) && !isForeign(descriptor));
    for (const descriptor of wanted) tell(this.#options.progress, descriptor, "Preparing");
    const { signal, parallel = DEFAULT_PARALLEL } = this.#options;
    await inParallel(wanted, parallel, signal, (descriptor, stop) => this.#blob(descriptor, stop));
  }

  async #blob(descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    const { progress } = this.#options;
    const open = (): AsyncIterable<Uint8Array> =>
      counted(this.#source.blob(descriptor, { signal }), descriptor, "Pushing", progress);
    const outcome = await this.#sink.putBlob(descriptor, open, this.#source.repository, { signal });
    this.#done.add(descriptor.digest);
    tell(progress, descriptor, outcomeText(outcome));
  }
}
