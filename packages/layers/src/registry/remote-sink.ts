// A repository as a place to write to: nothing is sent that it has, what another repository of the same registry has is mounted.
import type { Descriptor, Reference } from "@lapstrake/base";
import { hasBlob } from "./blobs.ts";
import type { BlobOutcome, ContentSink } from "./content.ts";
import { subjectOf, type ParsedDocument } from "./documents.ts";
import { headManifest, putManifest } from "./manifests.ts";
import { recordReferrer } from "./referrers.ts";
import { startUpload } from "./session.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";
import { fillUpload, type UploadOptions } from "./upload.ts";

/** See the head of this file. */
export class RemoteSink implements ContentSink {
  readonly repository: Repository;
  readonly #transport: Transport;
  readonly #tag: string | undefined;
  readonly #chunkBytes: number | undefined;

  constructor(transport: Transport, repository: Repository, tag: string | undefined, options: UploadOptions) {
    this.#transport = transport;
    this.repository = repository;
    this.#tag = tag;
    this.#chunkBytes = options.chunkBytes;
  }

  /** The repository that `reference` names; its tag becomes the image's name. */
  static async open(transport: Transport, reference: Reference, options: UploadOptions): Promise<RemoteSink> {
    const endpoint = await transport.hosts.endpoint(reference.domain, options.signal);
    return new RemoteSink(transport, { endpoint, path: reference.path }, reference.tag, options);
  }

  async hasDocument({ digest }: Descriptor, options: CallOptions): Promise<boolean> {
    return (await headManifest(this.#transport, this.repository, digest, options)) !== undefined;
  }

  async putBlob(
    descriptor: Descriptor,
    open: () => AsyncIterable<Uint8Array>,
    from: Repository | undefined,
    { signal }: CallOptions,
  ): Promise<BlobOutcome> {
    if (await hasBlob(this.#transport, this.repository, descriptor.digest, { signal })) return { kind: "present" };
    const mount = this.#mountable(from) ? { digest: descriptor.digest, from: from.path } : undefined;
    const session = await startUpload(this.#transport, this.repository, {
      signal,
      ...(mount === undefined ? {} : { mount }),
    });
    if (session === undefined) return { kind: "mounted", from: from?.path ?? "" };
    const options = { signal, chunkBytes: this.#chunkBytes };
    await fillUpload(this.#transport, this.repository, session, descriptor, open, options);
    return { kind: "written" };
  }

  #mountable(from: Repository | undefined): from is Repository {
    return (
      from !== undefined &&
      from.endpoint.origin === this.repository.endpoint.origin &&
      from.path !== this.repository.path
    );
  }

  async putDocument(
    descriptor: Descriptor,
    bytes: Uint8Array,
    parsed: ParsedDocument,
    options: CallOptions,
  ): Promise<void> {
    const { digest } = descriptor;
    const { subjectRecorded } = await putManifest(this.#transport, this.repository, digest, descriptor, bytes, options);
    const subject = subjectOf(parsed);
    if (subject === undefined || subjectRecorded) return;
    await recordReferrer(this.#transport, this.repository, { ...parsed, descriptor }, subject.digest, options);
  }

  async finish(root: Descriptor, bytes: Uint8Array, options: CallOptions): Promise<void> {
    if (this.#tag !== undefined) await putManifest(this.#transport, this.repository, this.#tag, root, bytes, options);
  }
}
