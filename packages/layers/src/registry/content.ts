// What images are read from and written to, so that pull, push, copy and append are one walk: a registry, a layout, a store.
import type { Descriptor, ProgressSink } from "@lapstrake/base";
import type { ParsedDocument } from "./documents.ts";
import type { CallOptions, Repository } from "./types.ts";

/** One image tree to read. Content is verified against its descriptor: an error comes before the end of wrong bytes. */
export interface ContentSource {
  /** The manifest or index that was named. */
  readonly root: Descriptor;
  /** Exact bytes of a manifest or index. */
  document(descriptor: Descriptor, options: CallOptions): Promise<Uint8Array>;
  /** Chunks of a blob; may be asked more than once. */
  blob(descriptor: Descriptor, options: CallOptions): AsyncIterable<Uint8Array>;
  /** The repository the content lies in, where a registry can mount from it. */
  readonly repository?: Repository;
}

/** How a blob came to be in the sink. */
export type BlobOutcome =
  | { readonly kind: "present" }
  | { readonly kind: "mounted"; readonly from: string }
  | { readonly kind: "written" };

/** Where an image tree goes. Blobs come before the documents that need them, the name comes last. */
export interface ContentSink {
  /** True when the document and all below it are there. */
  hasDocument(descriptor: Descriptor, options: CallOptions): Promise<boolean>;
  /** Brings a blob in; `open` gives its content, as often as asked. */
  putBlob(
    descriptor: Descriptor,
    open: () => AsyncIterable<Uint8Array>,
    from: Repository | undefined,
    options: CallOptions,
  ): Promise<BlobOutcome>;
  /** Brings a document in by its digest. */
  putDocument(descriptor: Descriptor, bytes: Uint8Array, parsed: ParsedDocument, options: CallOptions): Promise<void>;
  /** Makes the tree visible under the sink's name; called once, last. */
  finish(root: Descriptor, bytes: Uint8Array, options: CallOptions): Promise<void>;
}

/** Options of work on whole images. */
export interface TransferOptions extends CallOptions {
  readonly progress?: ProgressSink | undefined;
  /** Blobs on their way at once; default 3, as docker's. */
  readonly parallel?: number | undefined;
}

/** Blobs on their way at once when nothing else is said. */
export const DEFAULT_PARALLEL = 3;
