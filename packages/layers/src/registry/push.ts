// Push and copy: an image tree from a store, a layout or a registry to a registry or a layout.
import { LapError, familiarReference, parseReference, type Descriptor, type Platform } from "@lapstrake/base";
import type { Image } from "../image/image.ts";
import type { ImageStore } from "../image/store.ts";
import type { ContentSink, ContentSource, TransferOptions } from "./content.ts";
import { parseDocument } from "./documents.ts";
import { choose } from "./choose.ts";
import { RemoteSink } from "./remote-sink.ts";
import { RemoteSource } from "./remote-source.ts";
import { storeSource } from "./store-source.ts";
import { transfer } from "./transfer.ts";
import type { Transport } from "./transport.ts";
import type { Repository } from "./types.ts";
import type { UploadOptions } from "./upload.ts";

/** What to push, and how. */
export interface PushOptions extends TransferOptions, UploadOptions {
  /** One platform's manifest instead of all that is here. */
  readonly platform?: Platform | undefined;
}

/** What a registry or layout has afterwards. */
export interface PushedImage {
  /** Familiar form of the name at the target. */
  readonly reference: string;
  readonly target: Descriptor;
}

/** Pushes the image `nameOrId` of a store as `reference` (default: its name). */
export async function pushImage(
  transport: Transport,
  store: ImageStore,
  nameOrId: string,
  options: PushOptions & { readonly reference?: string | undefined } = {},
): Promise<PushedImage> {
  const reference = parseReference(options.reference ?? nameOrId);
  if (reference.tag === undefined) {
    throw new LapError("invalidArgument", "ERR_LAP_REFERENCE_INVALID", "cannot push a digest reference", {
      hint: "name a tag; the digest follows from the content",
    });
  }
  const image = store.resolve(nameOrId, options.platform);
  const sink = await RemoteSink.open(transport, reference, options);
  const source = storeSource(store, image, options.platform, mountFrom(image, sink.repository));
  using _lease = store.lease();
  await transfer(source, sink, source.root, options);
  return { reference: familiarReference(reference), target: source.root };
}

/** Another repository of the target's registry that the image has a name in. */
function mountFrom({ references }: Image, { endpoint, path }: Repository): Repository | undefined {
  const names = references.map((reference) => parseReference(reference));
  const found = names.find((name) => name.domain === endpoint.domain && name.path !== path);
  return found === undefined ? undefined : { endpoint, path: found.path };
}

/** One end of a copy: a reference, or an opened source or sink (a layout). */
export type CopySource = string | ContentSource;
export type CopyTarget = string | ContentSink;

/** What to copy. */
export interface CopyOptions extends TransferOptions, UploadOptions {
  /** Of an index, only the image of this platform. */
  readonly platform?: Platform | undefined;
}

/** Copies an image between registries and layouts without a store; returns what the target's name points to. */
export async function copyImage(
  transport: Transport,
  from: CopySource,
  to: CopyTarget,
  options: CopyOptions = {},
): Promise<Descriptor> {
  const source = typeof from === "string" ? await RemoteSource.open(transport, parseReference(from), options) : from;
  const sink = typeof to === "string" ? await RemoteSink.open(transport, parseReference(to), options) : to;
  const root = options.platform === undefined ? source.root : await chosen(source, options.platform, options);
  await transfer(source, sink, root, options);
  return root;
}

/** The manifest of one platform below the source's root. */
export async function chosen(source: ContentSource, platform: Platform, options: TransferOptions): Promise<Descriptor> {
  const { target } = parseDocument(await source.document(source.root, options), source.root.mediaType);
  if (target.kind === "manifest") return source.root;
  const { mediaType, digest, size } = choose(target.index.manifests, [platform], source.root);
  return { mediaType, digest, size };
}
