// Pull into a store in memory: what is asked for, what is skipped, and what a break at any request leaves behind.
import { MEDIA_TYPE, type Descriptor } from "@lapstrake/base";
import { expect, test } from "vitest";
import { dirFsOf } from "../fs/inode-dirfs.ts";
import { UnionFs } from "../fs/union-fs.ts";
import type { LayerUnpacker } from "../image/import.ts";
import { openImageStore, type ImageStore } from "../image/store.ts";
import { nodeClock, nodeCompression, nodeHash } from "../node/ports.ts";
import { FakeRegistry, reply } from "./testing/fake-registry.ts";
import { codeOf, describeBytes, fakeClient, memoryImage, memoryIndex, utf8 } from "./testing/setup.ts";
import { choose } from "./choose.ts";

const image = memoryImage([new Uint8Array(5000).fill(1), new Uint8Array(3000).fill(2)]);
const name = "registry.test/app:1";

function memoryStore(): ImageStore {
  return openImageStore(dirFsOf(UnionFs.create([])), {
    hash: nodeHash,
    compression: nodeCompression,
    clock: nodeClock,
  });
}

async function filled(): Promise<FakeRegistry> {
  const http = new FakeRegistry();
  await fakeClient(http).client.copy(image, name);
  http.sent.length = 0;
  return http;
}

test("a pull asks for each thing once; a second one asks one question; shared layers are not fetched again", async () => {
  const http = await filled();
  const { client } = fakeClient(http);
  const store = memoryStore();
  const pulled = await client.pull(store, name);
  expect(pulled).toMatchObject({ reference: name, changed: true, target: image.root });
  expect(http.sent.toSorted()).toEqual(
    [`GET /v2/app/manifests/1`, ...image.blobs.map(({ digest }) => `GET /v2/app/blobs/${digest}`)].toSorted(),
  );
  http.sent.length = 0;
  expect(await client.pull(store, name)).toMatchObject({ changed: false, id: pulled.id });
  expect(http.sent).toEqual(["HEAD /v2/app/manifests/1"]);

  const more = memoryImage([new Uint8Array(5000).fill(1), new Uint8Array(3000).fill(2), new Uint8Array(10).fill(3)]);
  await client.copy(more, name);
  http.sent.length = 0;
  const events: string[] = [];
  expect(await client.pull(store, name, { progress: ({ status }) => events.push(status) })).toMatchObject({
    changed: true,
  });
  expect(http.sent.filter((line) => line.includes("/blobs/"))).toHaveLength(2);
  expect(events.filter((status) => status === "Already exists")).toHaveLength(2);
});

test("whatever request is the last one, the image is absent or whole, and a second pull succeeds", async () => {
  const http = await filled();
  await fakeClient(http).client.pull(memoryStore(), name);
  const requests = http.sent.length;
  for (let last = 1; last <= requests; last++) {
    const store = memoryStore();
    http.sent.length = 0;
    http.hook = (_line, _request, count) => {
      if (count >= last) throw new Error("killed");
      return undefined;
    };
    expect(await codeOf(fakeClient(http).client.pull(store, name))).toBe("Error: killed");
    expect(store.list()).toEqual([]);
    for (const { digest } of store.blobs.list()) expect(() => store.blobs.read(digest, 1e6)).not.toThrow();
    http.hook = undefined;
    expect((await fakeClient(http).client.pull(store, name)).changed).toBe(true);
  }
});

test("one failure ends the downloads beside it, which would wait for ever", async () => {
  const http = await filled();
  http.hook = (line, request) => {
    if (!line.includes("/blobs/")) return undefined;
    if (line.endsWith(image.blobs[0]!.digest)) throw new Error("first");
    return { status: 200, headers: {}, body: never(request.signal) };
  };
  expect(await codeOf(fakeClient(http).client.pull(memoryStore(), name))).toBe("Error: first");
});

async function* never(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  yield new Uint8Array(1);
  await new Promise((_resolve, reject) => {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

test("lower layers are unpacked while upper ones still arrive, each once, and a failure there ends the downloads", async () => {
  const http = await filled();
  const lowest = Promise.withResolvers<void>();
  const done: string[] = [];
  const unpack: LayerUnpacker = {
    has: (chainID) => done.includes(chainID),
    async extract({ chainID }, below, tar) {
      expect(below.map((layer) => layer.chainID)).toEqual(done);
      for await (const chunk of tar) expect(chunk.length).toBeGreaterThan(0);
      done.push(chainID);
      lowest.resolve();
    },
  };
  const upper = image.blobs[2]!;
  async function* after(until: Promise<void>): AsyncGenerator<Uint8Array, void, undefined> {
    await until;
    yield new Uint8Array(3000).fill(2);
  }
  http.hook = (line) =>
    line.endsWith(upper.digest) ? { status: 200, headers: {}, body: after(lowest.promise) } : undefined;
  expect((await fakeClient(http).client.pull(memoryStore(), name, { unpack })).changed).toBe(true);
  expect(done).toHaveLength(2);

  const failing = { ...unpack, has: () => false, extract: () => Promise.reject(new Error("disk full")) };
  http.hook = (line, request) =>
    line.endsWith(upper.digest) ? { status: 200, headers: {}, body: never(request.signal) } : undefined;
  const store = memoryStore();
  expect(await codeOf(fakeClient(http).client.pull(store, name, { unpack: failing }))).toBe("Error: disk full");
  expect(store.list()).toEqual([]);
});

test("a pull of an index knows what of it is here", async () => {
  const http = new FakeRegistry();
  const { client } = fakeClient(http);
  const arm = memoryImage([utf8("arm")], {}, "arm64");
  const platform = (architecture: string): Descriptor["platform"] => ({ os: "linux", architecture });
  const index = memoryIndex([
    [image, platform("amd64")],
    [arm, platform("arm64")],
  ]);
  await client.copy(index, name);
  const store = memoryStore();
  const [amd64, arm64, riscv] = ["amd64", "arm64", "riscv64"].map((architecture) => ({ os: "linux", architecture }));
  expect((await client.pull(store, name, { prefer: [riscv!, arm64!] })).changed).toBe(true);
  expect((await client.pull(store, name, { prefer: [riscv!, arm64!] })).changed).toBe(false);
  expect((await client.pull(store, name)).changed).toBe(true);
  expect((await client.pull(store, name)).changed).toBe(false);
  expect((await client.pull(store, name, { platforms: [amd64!, arm64!] })).changed).toBe(false);
  expect((await client.pull(store, name, { platforms: "all" })).changed).toBe(false);
  expect(store.resolve(name, arm64).target).toEqual(index.root);
  expect(await codeOf(client.pull(store, name, { platforms: [riscv!] }))).toBe("ERR_LAP_NO_PLATFORM");
  const more = memoryIndex([
    [image, platform("amd64")],
    [memoryImage([utf8("new")], {}, "riscv64"), platform("riscv64")],
  ]);
  await client.copy(more, name);
  expect((await client.pull(store, name, { platforms: [riscv!] })).target).toEqual(more.root);
});

test("a config that is too large is not even asked for", async () => {
  const http = await filled();
  const config = { ...image.blobs[0]!, size: 100_000_000 };
  const source = memoryImage([utf8("x")], { config });
  http.manifests.set(`app@${source.root.digest}`, {
    bytes: await source.document(source.root, {}),
    mediaType: MEDIA_TYPE.manifest,
  });
  http.tags.set("app:1", source.root.digest);
  expect(await codeOf(fakeClient(http).client.pull(memoryStore(), name))).toBe("ERR_LAP_LIMIT");
  expect(http.sent.filter((line) => line.includes("/blobs/"))).toEqual([]);
});

test("a layer that only its publisher has is named as such", async () => {
  const http = await filled();
  const foreign = {
    ...image.blobs[1]!,
    mediaType: MEDIA_TYPE.layerNonDistributable,
    urls: ["https://publisher.test/layer"],
  };
  const source = memoryImage([utf8("x")], { layers: [foreign] });
  await fakeClient(http).client.copy({ ...source, blob: () => source.blob(source.blobs[0]!, {}) }, name);
  http.blobs.delete(`app@${foreign.digest}`);
  expect(await codeOf(fakeClient(http).client.pull(memoryStore(), name))).toBe("ERR_LAP_FOREIGN_LAYER");
});

test("docker's words for what is not there and what is not allowed", async () => {
  const http = await filled();
  const { client } = fakeClient(http);
  await expect(client.pull(memoryStore(), "registry.test/app:2")).rejects.toThrow(
    "manifest for registry.test/app:2 not found: manifest unknown: manifest unknown",
  );
  http.hook = () => reply(403, {}, `{"errors":[{"code":"DENIED","message":"no"}]}`);
  await expect(client.pull(memoryStore(), name)).rejects.toThrow(
    "pull access denied for registry.test/app, repository does not exist",
  );
});

test("an artifact without a filesystem is stored as it is", async () => {
  const http = new FakeRegistry();
  const { client } = fakeClient(http);
  const config = describeBytes(utf8("{}"), MEDIA_TYPE.empty);
  const artifact = memoryImage([utf8("hello")], { artifactType: "text/plain" });
  expect(artifact.blobs[0]!.digest).not.toBe(config.digest);
  await client.copy(artifact, name);
  expect((await client.pull(memoryStore(), name)).target).toEqual(artifact.root);
});

const entry = (platform: Descriptor["platform"]): Descriptor => ({
  mediaType: MEDIA_TYPE.manifest,
  digest: image.root.digest,
  size: 1,
  ...(platform === undefined ? {} : { platform }),
});

test("choosing a platform: exact, then without a variant, never attestations", () => {
  const v6 = entry({ os: "linux", architecture: "arm", variant: "v6" });
  const v7 = entry({ os: "linux", architecture: "arm", variant: "v7" });
  const arm64 = entry({ os: "linux", architecture: "arm64", variant: "v8" });
  const attestation = entry({ os: "unknown", architecture: "unknown" });
  const all = [attestation, v6, v7, arm64];
  expect(choose(all, [{ os: "linux", architecture: "arm" }], image.root)).toBe(v7);
  expect(choose(all, [{ os: "linux", architecture: "arm", variant: "v6" }], image.root)).toBe(v6);
  expect(choose(all, [{ os: "linux", architecture: "aarch64" }], image.root)).toBe(arm64);
  expect(choose([entry(undefined)], [{ os: "linux", architecture: "amd64" }], image.root).platform).toBeUndefined();
  expect(() => choose(all, [{ os: "linux", architecture: "amd64" }], image.root)).toThrow(
    "no matching manifest for linux/amd64",
  );
  const wasm = { os: "wasip1", architecture: "wasm" };
  const amd64 = { os: "linux", architecture: "amd64" };
  expect(choose([...all, entry(wasm)], [amd64, wasm], image.root).platform).toEqual(wasm);
  expect(choose([entry(wasm), entry(amd64)], [amd64, wasm], image.root).platform).toEqual(amd64);
  expect(() => choose([attestation], [{ os: "unknown", architecture: "unknown" }], image.root)).toThrow(
    "no matching manifest",
  );
});
