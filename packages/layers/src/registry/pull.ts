// Pull: a reference -> the image store. What is here already costs one small question.
import {
  LapError,
  MAX_MANIFEST_BYTES,
  familiarName,
  familiarReference,
  isLapError,
  parseReference,
  type Descriptor,
  type Digest,
  type Reference,
} from "@lapstrake/base";
import { isIndexType, parseIndex } from "../image/documents.ts";
import type { Image } from "../image/image.ts";
import type { ImageStore } from "../image/store.ts";
import { importImage, wanted, type PullOptions } from "./import-image.ts";
import { Reader } from "./reader.ts";
import { RemoteSource, referenceKey } from "./remote-source.ts";
import type { Transport } from "./transport.ts";

/** A pulled image. */
export interface PulledImage {
  /** Familiar form of the reference. */
  readonly reference: string;
  /** The index or manifest that the reference names. */
  readonly target: Descriptor;
  /** IMAGE ID. */
  readonly id: Digest;
  /** False when the image was here and the name did not move. */
  readonly changed: boolean;
}

/** Pulls `reference` into `store`. */
export async function pullImage(
  transport: Transport,
  store: ImageStore,
  reference: string,
  options: PullOptions = {},
): Promise<PulledImage> {
  const parsed = parseReference(reference);
  const known = present(store, reference, options);
  const reader = await Reader.open(transport, parsed, options);
  if (known !== undefined && (await reader.head(referenceKey(parsed), options))?.digest === known.target.digest) {
    return { reference: familiarReference(parsed), target: known.target, id: known.id, changed: false };
  }
  const source = await RemoteSource.read(transport, reader, parsed, options).catch((error: unknown) => {
    throw worded(error, parsed);
  });
  const id = await importImage(store, source, [reference], options);
  return { reference: familiarReference(parsed), target: source.root, id, changed: true };
}

/** Docker's words for the two answers that its clients know by their text; everything else stays as it is. */
function worded(error: unknown, reference: Reference): unknown {
  if (!isLapError(error)) return error;
  const { kind, code, hint, detail } = error;
  const options = {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(detail === undefined ? {} : { detail }),
  };
  if (code === "ERR_LAP_REGISTRY_NOT_FOUND") {
    const message = `manifest for ${familiarReference(reference)} not found: manifest unknown: manifest unknown`;
    return new LapError(kind, code, message, options);
  }
  if (code !== "ERR_LAP_REGISTRY_DENIED" && code !== "ERR_LAP_REGISTRY_UNAUTHENTICATED") return error;
  const message = `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`;
  return new LapError(kind, code, message, options);
}

/** What the name points to now, when all that is wanted of it is here: one small question tells whether it still does. */
function present(store: ImageStore, reference: string, options: PullOptions): Image | undefined {
  const any = unlessMissing(() => store.resolve(reference));
  if (any === undefined || !isIndexType(any.target.mediaType)) return any;
  const { manifests } = parseIndex(store.blobs.read(any.target.digest, MAX_MANIFEST_BYTES));
  const images = unlessMissing(() => wanted(manifests, any.target, options))?.map((entry) => {
    const image = unlessMissing(() => store.resolve(reference, entry.platform));
    return image?.manifestDescriptor.digest === entry.digest ? image : undefined;
  });
  return images?.includes(undefined) === false ? images[0] : undefined;
}

function unlessMissing<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (isLapError(error, "notFound")) return undefined;
    throw error;
  }
}
