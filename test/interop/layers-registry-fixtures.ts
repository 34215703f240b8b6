// Stores with small images, and a registry client that counts its requests: what the registry tests share.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestHex, type Digest, type HttpPort, type ImageIndex, type Platform } from "@lapstrake/base";
import {
  BytesContent,
  LayerBuilder,
  TreeNode,
  openImageStore,
  openRegistryClient,
  treeEntries,
  writeTar,
  type Image,
  type ImageStore,
  type RegistryClient,
  type RegistryOptions,
} from "@lapstrake/layers";
import { HTTP_TIMEOUTS, nodeHttp, nodePorts, openNodeDir } from "@lapstrake/layers/node";

/** A store in a folder that goes away. */
export interface TestStore extends Disposable {
  readonly store: ImageStore;
  readonly folder: string;
}

/** Opens an empty store. */
export function testStore(): TestStore {
  const folder = mkdtempSync(join(tmpdir(), "lap-store-"));
  const dir = openNodeDir(folder);
  return {
    store: openImageStore(dir, nodePorts),
    folder,
    [Symbol.dispose]() {
      dir.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Bytes that do not compress and are the same every time. */
export function noise(length: number, seed = 1): Uint8Array {
  const out = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[at] = state >>> 24;
  }
  return out;
}

/** The tar of one file. */
export async function* fileTar(name: string, bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  const builder = new LayerBuilder({ mode: "spec" });
  builder.add(name, new TreeNode({ type: "file", mode: 0o644, mtimeSec: 1000, content: new BytesContent(bytes) }));
  for (const chunk of writeTar(treeEntries(builder.finish()))) yield await Promise.resolve(chunk);
}

const CREATED = "2024-01-01T00:00:00Z";

/** An image of `sizes.length` layers of noise, named `reference`. */
export async function addImage(
  store: ImageStore,
  reference: string,
  sizes: readonly number[],
  platform: Platform = { os: "linux", architecture: "amd64" },
): Promise<Image> {
  let image: Image | undefined;
  for (const [at, size] of sizes.entries()) {
    const layer = fileTar(`file-${at}`, noise(size, at + size + platform.architecture.length));
    image = await store.commit({ base: image, layer, platform, created: CREATED });
  }
  store.tag(digestHex(image!.id), reference);
  return store.resolve(reference);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}

/** An index over images that are in the store already; returns its descriptor's parts. */
export async function addIndex(store: ImageStore, reference: string, images: readonly Image[]): Promise<Digest> {
  const manifests = images.map(({ manifestDescriptor, platform }) => ({ ...manifestDescriptor, platform }));
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const index: ImageIndex = { schemaVersion: 2, mediaType, manifests };
  const { digest, size } = await store.blobs.ingest(once(new TextEncoder().encode(JSON.stringify(index))));
  await store.import({ stage: () => Promise.resolve(undefined) }, { mediaType, digest, size }, [reference]);
  return digest;
}

/** A client and what it has sent. */
export interface TestClient extends Disposable {
  readonly client: RegistryClient;
  /** `METHOD path` of every request. */
  readonly sent: string[];
}

/** A client with short waits, so that what hangs fails the test by itself. */
export function testClient(options: Partial<RegistryOptions> & { readonly idleMs?: number } = {}): TestClient {
  const { idleMs = 2000, ...rest } = options;
  const http = nodeHttp({ ...HTTP_TIMEOUTS, connectMs: 2000, headersMs: idleMs, idleMs, totalMs: 30_000 });
  const sent: string[] = [];
  const counting: HttpPort = {
    request(url, request) {
      const { pathname, search } = new URL(url);
      sent.push(`${request.method} ${pathname}${search}`);
      return http.request(url, request);
    },
  };
  const client = openRegistryClient({
    ...nodePorts,
    http: counting,
    retry: { attempts: 3, baseMs: 5, capMs: 50 },
    ...rest,
  });
  return { client, sent, [Symbol.dispose]: () => http[Symbol.dispose]() };
}
