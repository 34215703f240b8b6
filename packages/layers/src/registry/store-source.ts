// An image of the store as something to read, for push and copy.
import { MAX_MANIFEST_BYTES, type Descriptor, type Platform } from "@lapstrake/base";
import type { BlobStore } from "../image/blobs.ts";
import type { Image } from "../image/image.ts";
import type { ImageStore } from "../image/store.ts";
import type { ContentSource } from "./content.ts";
import type { Repository } from "./types.ts";
import { blobsOf, isDocumentType, parseDocument } from "./documents.ts";

/** Blobs of a content store, as the tree below `root`. */
export class StoreSource implements ContentSource {
  readonly root: Descriptor;
  /** A repository that is known to have held the content: where a registry may mount from. */
  readonly repository?: Repository;
  readonly #blobs: BlobStore;

  constructor(blobs: BlobStore, root: Descriptor, repository?: Repository) {
    this.#blobs = blobs;
    this.root = root;
    if (repository !== undefined) this.repository = repository;
  }

  document({ digest }: Descriptor): Promise<Uint8Array> {
    return Promise.resolve(this.#blobs.read(digest, MAX_MANIFEST_BYTES));
  }

  blob({ digest }: Descriptor): AsyncIterable<Uint8Array> {
    return this.#blobs.stream(digest);
  }
}

/** True when everything below `root` is in the store: an index that was pulled for one platform is not. */
function isWhole(blobs: BlobStore, root: Descriptor): boolean {
  if (blobs.size(root.digest) === undefined) return false;
  if (!isDocumentType(root.mediaType)) return true;
  const { target } = parseDocument(blobs.read(root.digest, MAX_MANIFEST_BYTES), root.mediaType);
  const below = target.kind === "index" ? target.index.manifests : blobsOf(target.manifest);
  return below.every((descriptor) => isWhole(blobs, descriptor));
}

/** What of a stored image can be sent: its index where all of it is here, else the one manifest of `image`. */
export function storeSource(
  store: ImageStore,
  image: Image,
  platform?: Platform,
  repository?: Repository,
): StoreSource {
  const root = platform === undefined && isWhole(store.blobs, image.target) ? image.target : image.manifestDescriptor;
  return new StoreSource(store.blobs, root, repository);
}
