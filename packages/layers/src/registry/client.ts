// The registry client: one object for all registries, with its tokens, schemes and mirrors. Images move through pull, push, copy and
// append; the rest asks and deletes.
import {
  LapError,
  parseReference,
  type CompressionPort,
  type Descriptor,
  type Digest,
  type Reference,
} from "@lapstrake/base";
import type { ImageStore } from "../image/store.ts";
import { appendLayerRemote, type AppendOptions } from "./append.ts";
import { deleteBlob } from "./blobs.ts";
import { deleteManifest, type FetchedDocument } from "./manifests.ts";
import { listRepositories, listTags } from "./paging.ts";
import type { PullOptions } from "./import-image.ts";
import { pullImage, type PulledImage } from "./pull.ts";
import {
  copyImage,
  pushImage,
  type CopyOptions,
  type CopySource,
  type CopyTarget,
  type PushOptions,
  type PushedImage,
} from "./push.ts";
import { Reader } from "./reader.ts";
import { listReferrers } from "./referrers.ts";
import { referenceKey } from "./remote-source.ts";
import { Transport } from "./transport.ts";
import type { CallOptions, RegistryOptions, Repository } from "./types.ts";

/** Opens a client; it holds no resource of its own (the HTTP port's owner disposes that). */
export function openRegistryClient(
  options: RegistryOptions & { readonly compression?: CompressionPort },
): RegistryClient {
  return new RegistryClient(options);
}

/** See the head of this file. References are what people type: `alpine`, `localhost:5000/app:1`. */
export class RegistryClient {
  readonly #transport: Transport;
  readonly #compression: CompressionPort | undefined;

  constructor(options: RegistryOptions & { readonly compression?: CompressionPort }) {
    this.#transport = new Transport(options);
    this.#compression = options.compression;
  }

  /** Throws unless `domain` answers as a registry and takes our credentials: what `login` checks. */
  async ping(domain: string, { signal }: CallOptions = {}): Promise<void> {
    const endpoint = await this.#transport.hosts.endpoint(domain, signal);
    const what = `ping "${domain}"`;
    await this.#transport.sendOnly(endpoint, { method: "GET", path: "/v2/", what, scopes: [], accept: [200], signal });
  }

  /** Brings an image into `store`; nothing is visible before it is whole and verified. */
  pull(store: ImageStore, reference: string, options: PullOptions = {}): Promise<PulledImage> {
    return pullImage(this.#transport, store, reference, options);
  }

  /** Sends an image of `store`; what the registry has is not sent again. */
  push(
    store: ImageStore,
    nameOrId: string,
    options: PushOptions & { readonly reference?: string | undefined } = {},
  ): Promise<PushedImage> {
    return pushImage(this.#transport, store, nameOrId, options);
  }

  /** Copies an image between registries and layouts (`layoutSource`, `LayoutSink`), all of an index or one platform. */
  copy(from: CopySource, to: CopyTarget, options: CopyOptions = {}): Promise<Descriptor> {
    return copyImage(this.#transport, from, to, options);
  }

  /** Puts a layer on an image that stays in its registry. Needs the `compression` port. */
  async append(options: AppendOptions): Promise<PushedImage> {
    if (this.#compression === undefined) {
      throw new LapError(
        "failedPrecondition",
        "ERR_LAP_NO_COMPRESSION",
        "the registry client was opened without compression",
      );
    }
    return await appendLayerRemote(this.#transport, this.#compression, options);
  }

  /** The manifest or index behind a reference, verified, from a mirror or the registry. */
  async manifest(reference: string, options: CallOptions = {}): Promise<FetchedDocument> {
    const parsed = parseReference(reference);
    return (await Reader.open(this.#transport, parsed, options)).manifest(referenceKey(parsed), options);
  }

  /** What a reference names, without its content; undefined when it does not exist. */
  async resolve(reference: string, options: CallOptions = {}): Promise<Descriptor | undefined> {
    const parsed = parseReference(reference);
    return (await Reader.open(this.#transport, parsed, options)).head(referenceKey(parsed), options);
  }

  /** Content of a blob of a repository, verified at its end. */
  async *blob(
    reference: string,
    descriptor: Descriptor,
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    yield* (await Reader.open(this.#transport, parseReference(reference), options)).blob(descriptor, options);
  }

  /** Tags of a repository. */
  async *tags(
    repository: string,
    options: CallOptions & { readonly pageSize?: number } = {},
  ): AsyncGenerator<string, void, undefined> {
    yield* listTags(this.#transport, await this.#repository(parseReference(repository), options), options);
  }

  /** Repositories of a registry, where it tells them. */
  async *repositories(
    domain: string,
    options: CallOptions & { readonly pageSize?: number } = {},
  ): AsyncGenerator<string, void, undefined> {
    yield* listRepositories(this.#transport, await this.#transport.hosts.endpoint(domain, options.signal), options);
  }

  /** What refers to the image behind a reference: signatures, bills of material. */
  async referrers(
    reference: string,
    options: CallOptions & { readonly artifactType?: string } = {},
  ): Promise<Descriptor[]> {
    const parsed = parseReference(reference);
    const digest = parsed.digest ?? (await this.resolve(reference, options))?.digest;
    if (digest === undefined) throw notFound(reference);
    return listReferrers(this.#transport, await this.#repository(parsed, options), digest, options);
  }

  /** Deletes the manifest behind a reference, by its digest, with every tag that names it; false when it did not exist. */
  async delete(reference: string, options: CallOptions = {}): Promise<boolean> {
    const parsed = parseReference(reference);
    const digest = parsed.digest ?? (await this.resolve(reference, options))?.digest;
    return (
      digest !== undefined && deleteManifest(this.#transport, await this.#repository(parsed, options), digest, options)
    );
  }

  /** Deletes a tag and leaves its manifest, where the registry can. */
  async deleteTag(reference: string, options: CallOptions = {}): Promise<boolean> {
    const parsed = parseReference(reference);
    return deleteManifest(this.#transport, await this.#repository(parsed, options), parsed.tag ?? "latest", options);
  }

  /** Deletes a blob; false when it did not exist. */
  async deleteBlob(repository: string, digest: Digest, options: CallOptions = {}): Promise<boolean> {
    return deleteBlob(this.#transport, await this.#repository(parseReference(repository), options), digest, options);
  }

  async #repository({ domain, path }: Reference, { signal }: CallOptions): Promise<Repository> {
    return { endpoint: await this.#transport.hosts.endpoint(domain, signal), path };
  }
}

function notFound(reference: string): LapError {
  return new LapError("notFound", "ERR_LAP_REGISTRY_NOT_FOUND", `no image "${reference}" in its registry`);
}
