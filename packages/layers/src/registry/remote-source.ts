// An image of a registry as something to read.
import type { Descriptor, Reference } from "@lapstrake/base";
import { verifyBytes } from "./body.ts";
import type { ContentSource } from "./content.ts";
import type { FetchedDocument } from "./manifests.ts";
import { Reader } from "./reader.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

/** What to ask a registry for: the digest when the reference has one, else the tag. */
export function referenceKey({ tag, digest }: Reference): string {
  return digest ?? tag ?? "latest";
}

/** See the head of this file. */
export class RemoteSource implements ContentSource {
  readonly #reader: Reader;
  readonly #transport: Transport;
  readonly #rootDocument: FetchedDocument;

  constructor(transport: Transport, reader: Reader, rootDocument: FetchedDocument) {
    this.#transport = transport;
    this.#reader = reader;
    this.#rootDocument = rootDocument;
  }

  /** Resolves `reference` and fetches the document it names. Throws `ERR_LAP_REGISTRY_NOT_FOUND` and what requests throw. */
  static async open(transport: Transport, reference: Reference, options: CallOptions): Promise<RemoteSource> {
    return RemoteSource.read(transport, await Reader.open(transport, reference, options), reference, options);
  }

  /** The same from an opened reader. */
  static async read(
    transport: Transport,
    reader: Reader,
    reference: Reference,
    options: CallOptions,
  ): Promise<RemoteSource> {
    return new RemoteSource(transport, reader, await reader.manifest(referenceKey(reference), options));
  }

  get root(): Descriptor {
    return this.#rootDocument.descriptor;
  }

  get repository(): Repository {
    return this.#reader.origin;
  }

  async document(descriptor: Descriptor, options: CallOptions): Promise<Uint8Array> {
    if (descriptor.digest === this.root.digest) return this.#rootDocument.bytes;
    const fetched = await this.#reader.manifest(descriptor.digest, options);
    verifyBytes(this.#transport.options.hash, descriptor, fetched.bytes);
    return fetched.bytes;
  }

  blob(descriptor: Descriptor, options: CallOptions): AsyncIterable<Uint8Array> {
    return this.#reader.blob(descriptor, options);
  }
}
