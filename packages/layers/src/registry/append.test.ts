// A layer on a base that stays in its registry: what is read, what is sent, what the new image says.
import { MEDIA_TYPE, type ImageConfig, type Manifest } from "@lapstrake/base";
import { expect, test } from "vitest";
import { nodeCompression, nodeHash } from "../node/ports.ts";
import { openRegistryClient } from "./client.ts";
import { FakeRegistry } from "./testing/fake-registry.ts";
import { FakeClock, codeOf, cutError, fakeClient, memoryImage, utf8 } from "./testing/setup.ts";

const base = memoryImage([new Uint8Array(5000).fill(1), new Uint8Array(3000).fill(2)]);
const tar = new Uint8Array(100_000).map((_, at) => (at * 7919) % 256);

async function* layer(): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < tar.length; at += 10_000) yield await Promise.resolve(tar.subarray(at, at + 10_000));
}

async function withBase(
  source = base,
): Promise<{ http: FakeRegistry; client: ReturnType<typeof fakeClient>["client"] }> {
  const http = new FakeRegistry();
  const { client } = fakeClient(http);
  await client.copy(source, "registry.test/base:1");
  http.sent.length = 0;
  return { http, client };
}

function read<T>(http: FakeRegistry, path: string, digest: string): T {
  const bytes = http.manifests.get(`${path}@${digest}`)?.bytes ?? http.blobs.get(`${path}@${digest}`)!;
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

test("layers are mounted, not read; config, history and both digests are right; the same input gives the same image", async () => {
  const { http, client } = await withBase();
  const options = { base: "registry.test/base:1", created: "2024-01-01T00:00:00Z", config: { Cmd: ["/app"] } };
  const { target } = await client.append({ ...options, target: "registry.test/app:1", layer: layer() });
  expect(http.sent.filter((line) => line.startsWith("GET") && line.includes("/blobs/"))).toEqual([
    `GET /v2/base/blobs/${base.blobs[0]!.digest}`,
  ]);
  const manifest = read<Manifest>(http, "app", target.digest);
  expect(manifest.layers.slice(0, 2)).toEqual(base.blobs.slice(1));
  const config = read<ImageConfig>(http, "app", manifest.config.digest);
  expect(config.rootfs.diff_ids.at(-1)).toBe(nodeHash.digest("sha256", tar));
  expect(config.config).toEqual({ Cmd: ["/app"] });
  expect(config.history).toEqual([{ created: "2024-01-01T00:00:00Z" }]);
  const sent = http.blobs.get(`app@${manifest.layers[2]!.digest}`)!;
  expect(Uint8Array.from(nodeCompression.decompressSync("gzip", sent, 1e6))).toEqual(tar);
  const again = await client.append({ ...options, target: "registry.test/app:2", layer: layer() });
  expect(again.target).toEqual(target);
});

test("a base of another registry passes through", async () => {
  const { http } = await withBase();
  const other = new FakeRegistry("https://other.test");
  const both = openRegistryClient({
    http: { request: (url, request) => (url.startsWith(other.origin) ? other : http).request(url, request) },
    hash: nodeHash,
    clock: new FakeClock(),
    compression: nodeCompression,
  });
  await both.append({ base: "registry.test/base:1", target: "other.test/app:1", layer: layer() });
  expect(other.blobs.size).toBe(4);
  expect(other.tags.has("app:1")).toBe(true);
});

test("annotations and subject of the base are not the new image's; docker manifests stay docker's", async () => {
  const docker = memoryImage([utf8("x")], {
    mediaType: MEDIA_TYPE.dockerManifest,
    annotations: { a: "b" },
    subject: base.root,
  });
  const source = { ...docker, root: { ...docker.root, mediaType: MEDIA_TYPE.dockerManifest } };
  const { http, client } = await withBase(source);
  const { target } = await client.append({
    base: "registry.test/base:1",
    target: "registry.test/app:1",
    layer: layer(),
  });
  const manifest = read<Manifest>(http, "app", target.digest);
  expect(manifest.layers[1]!.mediaType).toBe(MEDIA_TYPE.dockerLayerGzip);
  expect([target.mediaType, manifest.annotations, manifest.subject]).toEqual([
    MEDIA_TYPE.dockerManifest,
    undefined,
    undefined,
  ]);
});

test("a part that is lost is sent again from memory: the layer is read once", async () => {
  const { http, client } = await withBase();
  let lost = 0;
  http.hook = (line) => {
    if (line.startsWith("PATCH") && lost++ === 0) throw cutError();
    return undefined;
  };
  await client.append({
    base: "registry.test/base:1",
    target: "registry.test/app:1",
    layer: layer(),
    chunkBytes: 65_536,
  });
  expect(http.tags.has("app:1")).toBe(true);
});

test("a layer that fails leaves no upload and no name; wrong wishes are refused before anything is sent", async () => {
  const { http, client } = await withBase();
  async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
    yield await Promise.resolve(tar);
    throw new Error("disk error");
  }
  const options = { base: "registry.test/base:1", target: "registry.test/app:1" };
  expect(await codeOf(client.append({ ...options, layer: broken() }))).toBe("Error: disk error");
  expect([http.uploads.size, http.tags.has("app:1")]).toEqual([0, false]);
  http.sent.length = 0;
  const digest = `registry.test/app@${base.root.digest}`;
  expect(await codeOf(client.append({ ...options, target: digest, layer: layer() }))).toBe("ERR_LAP_REFERENCE_INVALID");
  const bare = openRegistryClient({ http, hash: nodeHash, clock: new FakeClock() });
  expect(await codeOf(bare.append({ ...options, layer: layer() }))).toBe("ERR_LAP_NO_COMPRESSION");
  expect(http.sent).toEqual([]);
});
