// Blobs of a pull on their way, a few at a time, while the store already checks and unpacks the first of them. Each is taken once it is
// whole and verified; what nobody takes is thrown away.
import type { Descriptor, Digest } from "@lapstrake/base";
import type { BlobStore, StagedBlob } from "../image/blobs.ts";
import { inParallel } from "./parallel.ts";

type Download = (descriptor: Descriptor, signal: AbortSignal) => Promise<StagedBlob>;

/** See the head of this file. Dispose it to stop what is still running. */
export class Downloads implements AsyncDisposable {
  readonly #blobs: BlobStore;
  readonly #arrivals = new Map<Digest, PromiseWithResolvers<StagedBlob>>();
  readonly #untaken = new Set<StagedBlob>();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    blobs: BlobStore,
    descriptors: readonly Descriptor[],
    limit: number,
    signal: AbortSignal | undefined,
    download: Download,
  ) {
    this.#blobs = blobs;
    for (const { digest } of descriptors) {
      const arrival = Promise.withResolvers<StagedBlob>();
      arrival.promise.catch(() => undefined); // told to whoever takes it; nobody may
      this.#arrivals.set(digest, arrival);
    }
    const both = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    const running = inParallel(descriptors, limit, both, async (descriptor, stop) => {
      const staged = await download(descriptor, stop);
      this.#untaken.add(staged);
      this.#arrivals.get(descriptor.digest)!.resolve(staged);
    });
    this.#running = running.catch((error: unknown) => {
      for (const arrival of this.#arrivals.values()) arrival.reject(error); // those that are settled stay so
    });
  }

  /** The blob when it has arrived; undefined when it is not on its way. Rejects with the first failure of any. */
  async take(digest: Digest): Promise<StagedBlob | undefined> {
    const staged = await this.#arrivals.get(digest)?.promise;
    if (staged !== undefined) this.#untaken.delete(staged);
    return staged;
  }

  /** Ends what is still running with this reason. */
  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop(new Error("the pull is over"));
    await this.#running;
    for (const staged of this.#untaken) this.#blobs.discard(staged);
  }
}
