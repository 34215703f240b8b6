// A layer on top of an image that stays in its registry: only the base's manifest and config are read, its layers are mounted or, from
// another registry, passed through; the new layer is compressed and sent in one pass, in parts, both digests taken on the way.
import {
  LapError,
  MAX_CONFIG_BYTES,
  MAX_LAYERS,
  MEDIA_TYPE,
  digestOf,
  familiarReference,
  formatTimestamp,
  parseReference,
  type CompressionFormat,
  type CompressionPort,
  type Descriptor,
  type Digest,
  type ExecConfig,
  type HashPort,
  type HistoryEntry,
  type ImageConfig,
  type Manifest,
  type Platform,
} from "@lapstrake/base";
import { checkPair, isImageManifest, parseConfig, parseManifest } from "../image/documents.ts";
import { patchParts } from "./chunks.ts";
import { concat } from "./concat.ts";
import { DEFAULT_PARALLEL, type ContentSource, type TransferOptions } from "./content.ts";
import { parseDocument } from "./documents.ts";
import { protocolError } from "./errors.ts";
import { inParallel } from "./parallel.ts";
import { tell } from "./progress.ts";
import { chosen, type PushedImage } from "./push.ts";
import { RemoteSink } from "./remote-sink.ts";
import { RemoteSource } from "./remote-source.ts";
import { cancelUpload, finishUpload, startUpload } from "./session.ts";
import { isForeign } from "./transfer.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

/** What to append, to what, and what it is called then. */
export interface AppendOptions extends TransferOptions {
  /** The image below, a reference in any registry. */
  readonly base: string;
  /** The new image's reference, with a tag. */
  readonly target: string;
  /** The uncompressed tar of the new layer; read once. */
  readonly layer: AsyncIterable<Uint8Array>;
  /** Which image of a base with several; default linux/amd64. */
  readonly platform?: Platform | undefined;
  /** Fields that replace those of the base's config. */
  readonly config?: ExecConfig | undefined;
  readonly history?: HistoryEntry | undefined;
  /** RFC 3339 creation time; default now. */
  readonly created?: string | undefined;
  /** Default gzip. */
  readonly compression?: CompressionFormat | undefined;
  /** Size of the parts the layer is sent in, bytes; default 8 MiB. */
  readonly chunkBytes?: number | undefined;
}

const CHUNK_BYTES: number = 8 * 1024 * 1024;
const DEFAULT_PLATFORM: Platform = { os: "linux", architecture: "amd64" };
const LAYER_TYPES = { gzip: MEDIA_TYPE.layerGzip, zstd: MEDIA_TYPE.layerZstd } as const;

interface Base {
  readonly source: ContentSource;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

interface SentLayer {
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
}

/** Makes and pushes the new image; nothing of the base is stored here. Throws `ERR_LAP_NO_PLATFORM` and what requests throw. */
export async function appendLayerRemote(
  transport: Transport,
  compression: CompressionPort,
  options: AppendOptions,
): Promise<PushedImage> {
  const reference = parseReference(options.target);
  if (reference.tag === undefined) {
    throw new LapError("invalidArgument", "ERR_LAP_REFERENCE_INVALID", "the new image needs a tag");
  }
  const base = await readBase(transport, options);
  const sink = await RemoteSink.open(transport, reference, { signal: options.signal });
  const { signal, parallel = DEFAULT_PARALLEL } = options;
  const below = base.manifest.layers.filter((layer) => !isForeign(layer));
  await inParallel(below, parallel, signal, (layer, stop) => bring(base.source, sink, layer, options, stop));
  const layer = await sendLayer(transport, sink.repository, compression, options);
  const target = await putImage(transport, sink, base, layer, options);
  return { reference: familiarReference(reference), target };
}

async function readBase(transport: Transport, options: AppendOptions): Promise<Base> {
  const source = await RemoteSource.open(transport, parseReference(options.base), options);
  const descriptor = await chosen(source, options.platform ?? DEFAULT_PLATFORM, options);
  const manifest = parseManifest(await source.document(descriptor, options));
  if (!isImageManifest(manifest)) throw protocolError(`"${options.base}" is an artifact, not an image with layers`);
  if (manifest.layers.length >= MAX_LAYERS)
    throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", "the base has too many layers");
  const config = parseConfig(await readWhole(source, manifest.config, options));
  checkPair(manifest, config);
  return { source, manifest, config };
}

async function readWhole(source: ContentSource, descriptor: Descriptor, options: CallOptions): Promise<Uint8Array> {
  if (descriptor.size > MAX_CONFIG_BYTES)
    throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", "the config is too large");
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.blob(descriptor, options)) chunks.push(chunk);
  return concat(chunks, descriptor.size);
}

async function bring(
  source: ContentSource,
  sink: RemoteSink,
  layer: Descriptor,
  { progress }: TransferOptions,
  signal: AbortSignal,
): Promise<void> {
  const outcome = await sink.putBlob(layer, () => source.blob(layer, { signal }), source.repository, { signal });
  tell(progress, layer, outcome.kind === "mounted" ? `Mounted from ${outcome.from}` : "Layer already exists");
}

/** Passes chunks on and hashes them. */
async function* hashed(
  content: AsyncIterable<Uint8Array>,
  hasher: ReturnType<HashPort["create"]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    hasher.update(chunk);
    yield chunk;
  }
}

async function sendLayer(
  transport: Transport,
  repository: Repository,
  compression: CompressionPort,
  options: AppendOptions,
): Promise<SentLayer> {
  const { signal, chunkBytes = CHUNK_BYTES, compression: format = "gzip" } = options;
  const { hash } = transport.options;
  const [plain, packed] = [hash.create("sha256"), hash.create("sha256")];
  const content = hashed(compression.compress(format, hashed(options.layer, plain)), packed);
  const session = await startUpload(transport, repository, { signal });
  if (session === undefined) throw protocolError("the registry answers an upload with a mount");
  try {
    const { location, size } = await patchParts(transport, repository, session, content, { chunkBytes, signal });
    const digest = digestOf(packed.hex());
    await finishUpload(transport, repository, location, digest, { signal });
    const descriptor = { mediaType: LAYER_TYPES[format], digest, size };
    tell(options.progress, descriptor, "Pushed");
    return { descriptor, diffID: digestOf(plain.hex()) };
  } catch (error) {
    await cancelUpload(transport, repository, session);
    throw error;
  }
}

function newConfig(transport: Transport, base: ImageConfig, layer: SentLayer, options: AppendOptions): ImageConfig {
  const { sec, nsec } = transport.options.clock.now();
  const created = options.created ?? formatTimestamp(sec, nsec);
  return {
    ...base,
    created,
    config: { ...base.config, ...options.config },
    rootfs: { type: "layers", diff_ids: [...base.rootfs.diff_ids, layer.diffID] },
    history: [...(base.history ?? []), { created, ...options.history }],
  };
}

async function putImage(
  transport: Transport,
  sink: RemoteSink,
  base: Base,
  layer: SentLayer,
  options: AppendOptions,
): Promise<Descriptor> {
  const { hash } = transport.options;
  const configBytes = json(newConfig(transport, base.config, layer, options));
  const { annotations: _ofTheBase, subject: _ofTheBaseToo, ...rest } = base.manifest;
  const config = { ...base.manifest.config, digest: hash.digest("sha256", configBytes), size: configBytes.length };
  const manifest: Manifest = {
    ...rest,
    config,
    layers: [...base.manifest.layers, dressed(layer.descriptor, rest.mediaType)],
  };
  await sink.putBlob(config, () => once(configBytes), undefined, options);
  const bytes = json(manifest);
  const mediaType = manifest.mediaType ?? MEDIA_TYPE.manifest;
  const root: Descriptor = { mediaType, digest: hash.digest("sha256", bytes), size: bytes.length };
  await sink.putDocument(root, bytes, parseDocument(bytes, mediaType), options);
  await sink.finish(root, bytes, options);
  return root;
}

/** Docker manifests name gzip layers in Docker's words. */
function dressed(layer: Descriptor, manifestType: string | undefined): Descriptor {
  const isDocker = manifestType === MEDIA_TYPE.dockerManifest && layer.mediaType === MEDIA_TYPE.layerGzip;
  return isDocker ? { ...layer, mediaType: MEDIA_TYPE.dockerLayerGzip } : layer;
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
