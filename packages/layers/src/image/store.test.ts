// The image store in memory: load, save, names, removal, garbage collection, and archives that lie.
import { describe, expect, it } from "vitest";
import { errorCode, toBytes, toByteString, type Digest } from "@lapstrake/base";
import { UnionFs } from "../fs/union-fs.ts";
import { collect, makeImage, once, testStore, type TestStore } from "../testing/store.ts";
import { dump } from "../testing/paths.ts";
import { BytesContent } from "../tree/content.ts";
import type { LayerEntry } from "../tree/entries.ts";
import { writeTar } from "../tar/writer.ts";

const LAYERS = [
  ["etc/", "etc/os: lap", "a: 1"],
  ["etc/.wh.os", "b => a"],
] as const;

async function saved(from: TestStore, ...names: string[]): Promise<Uint8Array> {
  return await collect(from.store.save(names));
}

function load(into: TestStore, bytes: Uint8Array): ReturnType<TestStore["store"]["load"]> {
  return into.store.load({ kind: "stream", stream: once(bytes) });
}

/** A tar of named texts. */
function archive(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const entries = Object.entries(files).map(([path, value]): LayerEntry => {
    const content = new BytesContent(typeof value === "string" ? new TextEncoder().encode(value) : value);
    const rest = {
      uid: 0,
      gid: 0,
      mtimeSec: 0,
      mtimeNsec: 0,
      target: "",
      rdevMajor: 0,
      rdevMinor: 0,
      xattrs: undefined,
    };
    return { ...rest, path: toByteString(path), type: "file", mode: 0o644, size: content.size, content };
  });
  const chunks = [...writeTar(entries)];
  return toBytes(chunks.map((chunk) => String.fromCharCode(...chunk)).join(""));
}

describe("ImageStore", () => {
  it("takes an image that has the same layer twice", async () => {
    const one = testStore();
    const image = await makeImage(one.store, [["a: 1"], ["a: 1"], ["a: 1"]], "same:1");
    const two = testStore();
    await load(two, await saved(one, "same:1"));
    expect(two.store.resolve("same:1").id).toBe(image.id);
  });

  it("saves and loads to equal ids, digests and trees", async () => {
    const one = testStore();
    const image = await makeImage(one.store, LAYERS, "mine:1");
    const two = testStore();
    const bytes = await saved(one, "mine:1");
    expect(await load(two, bytes)).toEqual([{ reference: "mine:1", id: image.id, target: image.target }]);
    const loaded = two.store.resolve("mine:1");
    expect(loaded.layers).toEqual(image.layers);
    expect(dump(UnionFs.create(await two.store.loadTrees(loaded)))).toEqual(["/a: 1", "/b: 1", "/etc/"]);
    expect(await saved(two, "mine:1")).toEqual(bytes);
    expect(await two.store.check()).toEqual([]);
  });

  it("gives the same image for the same content", async () => {
    const [one, two] = [await makeImage(testStore().store, LAYERS), await makeImage(testStore().store, LAYERS)];
    expect(one.id).toBe(two.id);
    expect(one.target).toEqual(two.target);
  });

  it("loads compressed archives, and loads twice", async () => {
    const one = testStore();
    await makeImage(one.store, LAYERS, "mine:1");
    const bytes = await saved(one, "mine:1");
    for (const format of ["gzip", "zstd"] as const) {
      const packed = await collect(one.ports.compression.compress(format, once(bytes)));
      const two = testStore();
      await load(two, packed);
      await load(two, packed);
      expect(two.store.list()).toHaveLength(1);
    }
  });

  it("loads old docker archives, links between layers included", async () => {
    const one = testStore();
    const image = await makeImage(one.store, [["a: 1"]], "old:1");
    const layer = await collect(one.store.layerStream(image.layers[0]!));
    const config = JSON.stringify(image.config);
    const manifest = JSON.stringify([{ Config: "c.json", RepoTags: ["old:1"], Layers: ["x/layer.tar"] }]);
    const two = testStore();
    await load(two, archive({ "x/layer.tar": layer, "c.json": config, "manifest.json": manifest }));
    expect(two.store.resolve("old:1").layers[0]!.diffID).toBe(image.layers[0]!.diffID);
  });

  it("finds images by name, id and short id, and says when it cannot", async () => {
    const { store } = testStore();
    const image = await makeImage(store, LAYERS, "mine");
    const hex = image.id.slice("sha256:".length);
    for (const name of ["mine", "mine:latest", "docker.io/library/mine", image.id, hex, hex.slice(0, 12)]) {
      expect(store.resolve(name).id).toBe(image.id);
    }
    expect(store.resolve(`mine@${image.target.digest}`).id).toBe(image.id);
    expect(() => store.resolve("other")).toThrow(
      expect.objectContaining({ code: "ERR_LAP_NO_IMAGE", kind: "notFound" }),
    );
    expect(() => store.resolve("mine", { os: "linux", architecture: "s390x" })).toThrow("no platform linux/s390x");
  });

  it("untags, deletes with the last name, and frees only what nothing needs", async () => {
    const { store } = testStore();
    const base = await makeImage(store, [LAYERS[0]], "base:1");
    const child = await store.commit({ base, config: { Cmd: ["x"] }, created: "2026-01-01T00:00:00Z" });
    store.tag(child.id, "child:1");
    store.tag("child:1", "other/child:2");
    expect(() => store.remove(child.id)).toThrow(expect.objectContaining({ code: "ERR_LAP_IMAGE_IN_USE" }));
    expect(store.remove("other/child:2")).toEqual({ untagged: ["other/child:2"], deleted: [] });
    expect(store.remove("base:1").untagged).toEqual(["base:1"]);
    expect(await store.check()).toEqual([]);
    expect(store.remove("child:1").deleted).toEqual([child.id]);
    expect([...store.blobs.list()]).toEqual([]);
  });

  it("keeps what a lease protects", async () => {
    const { store, clock } = testStore();
    await makeImage(store, LAYERS, "gone:1");
    clock.sec += 1000;
    const lease = store.lease();
    const fresh = await store.blobs.ingest(once(toBytes("coming in")));
    store.blobs.touch(fresh.digest, clock.now());
    store.remove("gone:1");
    expect([...store.blobs.list()].map(({ digest }) => digest)).toContain(fresh.digest);
    lease[Symbol.dispose]();
    store.gc();
    expect([...store.blobs.list()]).toEqual([]);
  });

  it("finds damage, lists the rest all the same, repairs, and heals by loading again", async () => {
    const { store, dir } = testStore();
    await makeImage(store, [["a: 1"]], "good:1");
    const bad = await makeImage(store, [["b: 2"]], "bad:1");
    const bytes = await collect(store.save(["bad:1"]));
    const path = `blobs/sha256/${bad.layers[0]!.descriptor.digest.slice(7)}`;
    using file = dir.open(path, { write: true });
    file.write(toBytes("damage"), 0, 6, 20);
    dir.unlink(`blobs/sha256/${bad.id.slice(7)}`);
    expect(store.list()).toHaveLength(2);
    const found = (await store.check()).map(({ kind }) => kind).toSorted();
    expect(found).toEqual(["damagedBlob", "missingBlob"]);
    await store.check({ repair: true });
    expect(await store.check()).toEqual([]);
    expect(store.list().map(({ references }) => references)).toEqual([["good:1"]]);
    await store.load({ kind: "stream", stream: once(bytes) });
    expect(store.resolve("bad:1").id).toBe(bad.id);
  });

  it("stops a layer that unpacks to more than it may", async () => {
    const { store } = testStore();
    const image = await makeImage(store, [[`bomb: ${"0".repeat(3_000_000)}`]]);
    expect(image.layers[0]!.descriptor.size).toBeLessThan(50_000);
    await expect(store.loadTrees(image, { maxBytes: 1_000_000 })).rejects.toMatchObject({ code: "ERR_LAP_LIMIT" });
    expect(await store.loadTrees(image, { maxBytes: 4_000_000 })).toHaveLength(1);
  });

  it("moves a name to the newly loaded image", async () => {
    const [one, two] = [testStore(), testStore()];
    await makeImage(one.store, [["a: 1"]], "x:1");
    const newer = await makeImage(two.store, [["a: 2"]], "x:1");
    await load(one, await saved(two, "x:1"));
    expect(one.store.resolve("x:1").id).toBe(newer.id);
    expect(one.store.list()).toHaveLength(2);
  });
});

describe("archives that lie", () => {
  /** The code of the refusal, after a look that nothing became visible and nothing is left. */
  async function refusal(bytes: Uint8Array): Promise<string | undefined> {
    const into = testStore();
    const error: unknown = await load(into, bytes).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(into.store.list()).toEqual([]);
    into.store.gc();
    expect(await into.store.check()).toEqual([]);
    return errorCode(error);
  }

  async function parts(): Promise<{ layer: Uint8Array; config: string; layerDigest: Digest }> {
    const { store } = testStore();
    const image = await makeImage(store, [["a: 1"]]);
    const layer = await collect(store.layerStream(image.layers[0]!));
    return { layer, config: JSON.stringify(image.config), layerDigest: image.layers[0]!.diffID };
  }

  const docker = (layers: string[], config = "c.json"): string =>
    JSON.stringify([{ Config: config, RepoTags: ["x:1"], Layers: layers }]);

  it("a layer that is not what the config says", async () => {
    const { config } = await parts();
    const other = archive({ b: "2" });
    expect(await refusal(archive({ l: other, "c.json": config, "manifest.json": docker(["l"]) }))).toBe(
      "ERR_LAP_DIGEST_MISMATCH",
    );
  });

  it("more or fewer layers than the config says", async () => {
    const { config, layer } = await parts();
    expect(await refusal(archive({ l: layer, "c.json": config, "manifest.json": docker(["l", "l"]) }))).toBe(
      "ERR_LAP_DOCUMENT_INVALID",
    );
    expect(await refusal(archive({ l: layer, "c.json": config, "manifest.json": docker([]) }))).toBe(
      "ERR_LAP_DOCUMENT_INVALID",
    );
  });

  it("names outside the archive", async () => {
    const { config, layer } = await parts();
    expect(await refusal(archive({ l: layer, "c.json": config, "manifest.json": docker(["../../etc/shadow"]) }))).toBe(
      "ERR_LAP_ARCHIVE_INVALID",
    );
    expect(await refusal(archive({ l: layer, "manifest.json": docker(["l"], "/etc/passwd") }))).toBe(
      "ERR_LAP_ARCHIVE_INVALID",
    );
  });

  it("a blob that is not its digest, a digest that is a path, a document that is two things", async () => {
    const hex = "a".repeat(64);
    const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: `sha256:${hex}`, size: 2 };
    const index = (entry: object): string => JSON.stringify({ schemaVersion: 2, manifests: [entry] });
    expect(await refusal(archive({ "index.json": index(descriptor), [`blobs/sha256/${hex}`]: "{}" }))).toBe(
      "ERR_LAP_BLOB_MISSING",
    );
    expect(await refusal(archive({ "index.json": index({ ...descriptor, digest: "sha256:../../x" }) }))).toBe(
      "ERR_LAP_DOCUMENT_INVALID",
    );
    expect(
      await refusal(archive({ "index.json": JSON.stringify({ schemaVersion: 2, manifests: [], layers: [] }) })),
    ).toBe("ERR_LAP_DOCUMENT_INVALID");
    expect(await refusal(archive({ "index.json": index({ ...descriptor, size: -1 }) }))).toBe(
      "ERR_LAP_DOCUMENT_INVALID",
    );
  });

  it("no archive at all", async () => {
    expect(await refusal(new Uint8Array(0))).toBe("ERR_LAP_ARCHIVE_INVALID");
    expect(await refusal(toBytes("not a tar".repeat(200)))).toBe("ERR_LAP_TAR_INVALID");
    expect(await refusal(archive({ "readme.txt": "hello" }))).toBe("ERR_LAP_ARCHIVE_INVALID");
    expect(await refusal(archive({ "manifest.json": "[]" }))).toBe("ERR_LAP_ARCHIVE_INVALID");
    expect(await refusal(toBytes("\u001f\u008b\u0008garbage garbage"))).toBe("ERR_LAP_COMPRESSION_INVALID");
  });

  it("an archive that stops in the middle", async () => {
    const from = testStore();
    await makeImage(from.store, LAYERS, "x:1");
    const bytes = await saved(from, "x:1");
    for (const length of [300, 600]) expect(await refusal(bytes.subarray(0, length))).toBe("ERR_LAP_TAR_TRUNCATED");
  });

  it("a manifest with more nesting than anyone needs", async () => {
    expect(await refusal(archive({ "index.json": `{"schemaVersion":2,"x":${"[".repeat(5000)}` }))).toBe(
      "ERR_LAP_JSON_INVALID",
    );
  });
});
