// Reading a reference from where it can be had: its mirrors in order, then the registry itself. What a mirror sends is checked like
// everything else, so a mirror can be slow or missing but never wrong.
import { isLapError, type Descriptor, type Reference } from "@lapstrake/base";
import { readBlob } from "./blobs.ts";
import { placesOf } from "./hosts.ts";
import { getManifest, headManifest, type FetchedDocument } from "./manifests.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

/** Repositories that may hold one reference, the registry's own last. */
export class Reader {
  readonly #transport: Transport;
  readonly #repositories: readonly Repository[];

  constructor(transport: Transport, repositories: readonly Repository[]) {
    this.#transport = transport;
    this.#repositories = repositories;
  }

  /** The places of `reference`. */
  static async open(transport: Transport, reference: Reference, { signal }: CallOptions): Promise<Reader> {
    const places = placesOf(reference, transport.options.mirrors);
    const repositories = places.map(async ({ host, path }) => ({
      endpoint: await transport.hosts.endpoint(host, signal),
      path,
    }));
    return new Reader(transport, await Promise.all(repositories));
  }

  /** The registry's own repository. */
  get origin(): Repository {
    return this.#repositories.at(-1)!;
  }

  /** A document by tag or digest. */
  manifest(reference: string, options: CallOptions): Promise<FetchedDocument> {
    return this.#first(options, (repository) => getManifest(this.#transport, repository, reference, options));
  }

  /** What a tag or digest names, without its content; undefined when it does not exist. */
  head(reference: string, options: CallOptions): Promise<Descriptor | undefined> {
    return this.#first(options, (repository) => headManifest(this.#transport, repository, reference, options));
  }

  /** The answer of the first place that gives one; undefined from a mirror is no answer. */
  async #first<T>(options: CallOptions, ask: (repository: Repository) => Promise<T>): Promise<T> {
    for (const repository of this.#repositories) {
      try {
        const answer = await ask(repository);
        if (answer !== undefined || repository === this.origin) return answer;
      } catch (error) {
        this.#next(repository, error, options);
      }
    }
    throw new Error("unreachable: the last place answers or throws");
  }

  /** A blob; a place that fails before its first byte is passed over. */
  async *blob(descriptor: Descriptor, options: CallOptions): AsyncGenerator<Uint8Array, void, undefined> {
    for (const repository of this.#repositories) {
      let hasBegun = false;
      try {
        for await (const chunk of readBlob(this.#transport, repository, descriptor, options)) {
          hasBegun = true;
          yield chunk;
        }
        return;
      } catch (error) {
        if (hasBegun) throw error;
        this.#next(repository, error, options);
      }
    }
  }

  /** Goes on to the next place, or throws. */
  #next(repository: Repository, error: unknown, { signal }: CallOptions): void {
    if (repository === this.origin || signal?.aborted === true || !isLapError(error)) throw error;
    this.#transport.options.logger?.warn(`mirror "${repository.endpoint.domain}" failed`, { cause: error.message });
  }
}
