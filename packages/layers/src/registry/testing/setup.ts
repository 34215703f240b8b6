// A client over a fake registry with a clock that never waits, and small images in memory.
import { LapError, MEDIA_TYPE, type ClockPort, type Descriptor, type HttpPort, type Manifest } from "@lapstrake/base";
import { nodeCompression, nodeHash } from "../../node/ports.ts";
import { openRegistryClient, type RegistryClient } from "../client.ts";
import type { ContentSource } from "../content.ts";
import { Transport } from "../transport.ts";
import type { Endpoint, RegistryOptions, Repository } from "../types.ts";

/** A clock that is told the time; sleeping moves it. */
export class FakeClock implements ClockPort {
  ms = 1_700_000_000_000;
  readonly slept: number[] = [];

  now(): { sec: number; nsec: number } {
    return { sec: Math.floor(this.ms / 1000), nsec: (this.ms % 1000) * 1_000_000 };
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await Promise.resolve();
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.ms += ms;
  }
}

/** A client of `http` with fakes for the rest. */
export function fakeClient(
  http: HttpPort,
  options: Partial<RegistryOptions> = {},
): { readonly client: RegistryClient; readonly clock: FakeClock; readonly transport: Transport } {
  const clock = new FakeClock();
  const ports = { http, hash: nodeHash, clock, compression: nodeCompression, ...options };
  return { client: openRegistryClient(ports), clock, transport: new Transport(ports) };
}

/** A repository of the fake registry. */
export function repository(path = "app", settings: Endpoint["settings"] = {}): Repository {
  return { endpoint: { origin: "https://registry.test", domain: "registry.test", settings }, path };
}

/** The code of the error that `work` ends with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof LapError ? error.code : String(error);
  }
  return "no error";
}

/** Descriptor of bytes. */
export function describeBytes(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: nodeHash.digest("sha256", bytes), size: bytes.length };
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A break of the connection. */
export function cutError(): LapError {
  return new LapError("unavailable", "ERR_LAP_HTTP_CUT", "cut");
}

/** An image in memory as a source: uncompressed layers with these contents (any bytes: nobody unpacks them). */
export function memoryImage(
  layers: readonly Uint8Array[],
  extra: Partial<Manifest> = {},
  architecture = "amd64",
): ContentSource & { readonly blobs: readonly Descriptor[] } {
  const described = layers.map((bytes) => describeBytes(bytes, MEDIA_TYPE.layer));
  const diffIds = described.map(({ digest }) => digest);
  const config = utf8(JSON.stringify({ os: "linux", architecture, rootfs: { type: "layers", diff_ids: diffIds } }));
  const blobs = [describeBytes(config, MEDIA_TYPE.config), ...described];
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: blobs[0]!,
    layers: described,
    ...extra,
  };
  const document = utf8(JSON.stringify(manifest));
  const contents = new Map([config, ...layers].map((bytes, at) => [blobs[at]!.digest, bytes]));
  return {
    root: describeBytes(document, MEDIA_TYPE.manifest),
    blobs,
    document: () => Promise.resolve(document),
    async *blob({ digest }) {
      const bytes = contents.get(digest)!;
      for (let at = 0; at < bytes.length; at += 1000) yield await Promise.resolve(bytes.subarray(at, at + 1000));
    },
  };
}

/** An index over images in memory. */
export function memoryIndex(images: readonly (readonly [ContentSource, Descriptor["platform"]])[]): ContentSource {
  const manifests = images.map(([{ root }, platform]) => ({
    ...root,
    ...(platform === undefined ? {} : { platform }),
  }));
  const document = utf8(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }));
  const owner = async (descriptor: Descriptor): Promise<ContentSource> => {
    for (const [image] of images) {
      const bytes = new TextDecoder().decode(await image.document(image.root, {}));
      if (bytes.includes(descriptor.digest)) return image;
    }
    throw new Error(`no image has ${descriptor.digest}`);
  };
  return {
    root: describeBytes(document, MEDIA_TYPE.index),
    document: (descriptor, options) =>
      images.find(([{ root }]) => root.digest === descriptor.digest)?.[0].document(descriptor, options) ??
      Promise.resolve(document),
    async *blob(descriptor, options) {
      yield* (await owner(descriptor)).blob(descriptor, options);
    },
  };
}
