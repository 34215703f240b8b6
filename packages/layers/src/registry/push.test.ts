// Writing images: the order, what is not sent again, sessions, parts, and what every kind of break leaves behind.
import { MEDIA_TYPE, type Descriptor } from "@lapstrake/base";
import { expect, test } from "vitest";
import type { ContentSource } from "./content.ts";
import { FakeRegistry, reply } from "./testing/fake-registry.ts";
import { codeOf, cutError, describeBytes, fakeClient, memoryImage, repository, utf8 } from "./testing/setup.ts";
import { uploadBlob } from "./upload.ts";

const KIB = 1024;
const layerA = new Uint8Array(200 * KIB).fill(1);
const layerB = new Uint8Array(70 * KIB).fill(2);
const image = memoryImage([layerA, layerB]);
const target = "registry.test/app:1";

function lines(http: FakeRegistry, pattern: RegExp): string[] {
  return http.sent.filter((line) => pattern.test(line));
}

test("blobs come before the manifest, the tag last", async () => {
  const http = new FakeRegistry();
  await fakeClient(http).client.copy(image, target);
  const puts = lines(http, /^PUT/).map((line) => (line.includes("/blobs/") ? "blob" : line));
  expect(puts).toEqual([
    "blob",
    "blob",
    "blob",
    `PUT /v2/app/manifests/${image.root.digest}`,
    "PUT /v2/app/manifests/1",
  ]);
  expect(http.tags.get("app:1")).toBe(image.root.digest);
  expect(http.uploads.size).toBe(0);
});

test("present blobs are not sent, present images cost one question and the name", async () => {
  const http = new FakeRegistry();
  http.blobs.set(`app@${image.blobs[1]!.digest}`, layerA);
  const { client } = fakeClient(http);
  const events: string[] = [];
  await client.copy(image, target, { progress: ({ status }) => events.push(status) });
  expect(lines(http, /^POST/)).toHaveLength(2);
  expect(events.filter((status) => status === "Layer already exists")).toHaveLength(1);
  http.sent.length = 0;
  await client.copy(image, "registry.test/app:2");
  expect(http.sent).toEqual([`HEAD /v2/app/manifests/${image.root.digest}`, "PUT /v2/app/manifests/2"]);
});

test("a layer that occurs twice is sent once", async () => {
  const http = new FakeRegistry();
  await fakeClient(http).client.copy(memoryImage([layerB, layerB]), target);
  expect(lines(http, /^POST/)).toHaveLength(2);
});

test("a mount that is refused is an upload in the session that came instead", async () => {
  const http = new FakeRegistry();
  const { client } = fakeClient(http);
  await client.copy(image, "registry.test/first:1");
  http.blobs.delete(`first@${image.blobs[2]!.digest}`);
  const from = { ...image, repository: repository("first") };
  const events: string[] = [];
  await client.copy(from, target, { progress: ({ status }) => events.push(status) });
  expect(events.filter((status) => status === "Mounted from first")).toHaveLength(2);
  expect(events.filter((status) => status === "Pushed")).toHaveLength(1);
});

test("in parts: each with its range; a lost answer is asked about, not sent twice", async () => {
  const http = new FakeRegistry();
  let lost = 0;
  http.afterHook = (line) => {
    if (line.startsWith("PATCH") && lost++ === 1) throw cutError();
    return undefined;
  };
  await fakeClient(http).client.copy(memoryImage([layerA]), target, { chunkBytes: 64 * KIB, parallel: 1 });
  const patches = http.requests
    .filter(({ method }) => method === "PATCH")
    .map(({ headers }) => headers["content-range"]);
  expect(patches.slice(-4)).toEqual(["0-65535", "65536-131071", "131072-196607", "196608-204799"]);
  expect(lines(http, /^GET .*uploads/)).toHaveLength(1);
});

test("in parts: a part that arrived in half is completed", async () => {
  const http = new FakeRegistry();
  const blob = describeBytes(layerA, MEDIA_TYPE.layer);
  http.hook = (line, request) => {
    if (!line.startsWith("PATCH") || request.headers["content-range"] !== "65536-131071") return undefined;
    const [key, has] = [...http.uploads][0]!;
    if (has.length > 65_536) return undefined;
    http.uploads.set(key, Uint8Array.from([...has, ...layerA.subarray(65_536, 65_536 + 100)]));
    throw cutError();
  };
  await uploadBlob(fakeClient(http).transport, repository(), blob, () => image.blob(blob, {}), {
    chunkBytes: 64 * KIB,
  });
  expect(http.blobs.get(`app@${blob.digest}`)).toEqual(layerA);
  expect(http.requests.map(({ headers }) => headers["content-range"])).toContain("65636-131071");
});

test("in parts: a first part that never arrived is sent again from its first byte", async () => {
  const http = new FakeRegistry();
  let lost = 0;
  http.hook = (line) => {
    if (line.startsWith("PATCH") && lost++ === 0) throw cutError();
    return undefined;
  };
  await fakeClient(http).client.copy(memoryImage([layerA]), target, { chunkBytes: 64 * KIB, parallel: 1 });
  expect(http.tags.has("app:1")).toBe(true);
});

test("in parts: a registry that takes only some bytes gets the rest, one that takes none is given up", async () => {
  const blob = describeBytes(layerA, MEDIA_TYPE.layer);
  const upload = async (range: string): Promise<string> => {
    const http = new FakeRegistry();
    http.afterHook = (line, request) => {
      if (!line.startsWith("PATCH") || request.headers["content-range"] !== "0-65535") return undefined;
      const [key, has] = [...http.uploads][0]!;
      http.uploads.set(key, has.subarray(0, 40_000));
      return reply(202, { location: line.split(" ")[1]!, range });
    };
    const { transport } = fakeClient(http);
    const options = { chunkBytes: 64 * KIB };
    return codeOf(uploadBlob(transport, repository(), blob, () => image.blob(blob, {}), options));
  };
  expect(await upload("0-39999")).toBe("no error");
  for (const range of ["0-0", "0-99999"]) expect(await upload(range)).toBe("ERR_LAP_REGISTRY_RESPONSE");
});

test("a body that is too large for the registry is sent in parts", async () => {
  const http = new FakeRegistry();
  http.hook = (line, request) =>
    line.startsWith("PUT") && Number(request.headers["content-length"]) > 100 * KIB && line.includes("/blobs/")
      ? reply(413)
      : undefined;
  await fakeClient(http).client.copy(image, target);
  expect(http.tags.has("app:1")).toBe(true);
});

test.each([1, 63 * KIB, 1.5, -1, 65 * KIB * KIB, Number.NaN])(
  "a chunk size of %d is refused and the session closed",
  async (chunkBytes) => {
    const http = new FakeRegistry();
    expect(await codeOf(fakeClient(http).client.copy(image, target, { chunkBytes }))).toBe("ERR_LAP_CHUNK_SIZE");
    expect(http.uploads.size).toBe(0);
  },
);

test("a failed part stops the others, and nothing is named", async () => {
  const http = new FakeRegistry();
  http.hook = (line) => (line.startsWith("PUT") ? reply(403) : undefined);
  expect(await codeOf(fakeClient(http).client.copy(image, target))).toBe("ERR_LAP_REGISTRY_DENIED");
  expect([...http.tags, ...http.manifests]).toEqual([]);
});

test("a source with wrong bytes makes nothing visible", async () => {
  const http = new FakeRegistry();
  const lying: ContentSource = { ...image, blob: () => image.blob(image.blobs[0]!, {}) };
  expect(await codeOf(fakeClient(http).client.copy(lying, target))).toBe("ERR_LAP_DIGEST_MISMATCH");
  expect(http.tags.size).toBe(0);
});

test("whatever request is the last one, the tag is absent or whole, and a second push succeeds", async () => {
  const whole = new FakeRegistry();
  await fakeClient(whole).client.copy(image, target, { chunkBytes: 64 * KIB });
  for (let last = 1; last <= whole.sent.length; last++) {
    for (const isObeyed of [false, true]) {
      const http = new FakeRegistry();
      const stop = (_line: string, _request: unknown, count: number): undefined => {
        if (count >= last) throw new Error("killed");
      };
      if (isObeyed) http.afterHook = stop;
      else http.hook = stop;
      expect(await codeOf(fakeClient(http).client.copy(image, target, { chunkBytes: 64 * KIB }))).toBe("Error: killed");
      if (http.tags.has("app:1")) expect(isObeyed && last === whole.sent.length).toBe(true);
      http.hook = undefined;
      http.afterHook = undefined;
      await fakeClient(http).client.copy(image, target);
      expect(http.tags.get("app:1")).toBe(image.root.digest);
    }
  }
});

function referrer(subject: Descriptor, artifactType: string): ContentSource {
  return memoryImage([utf8(artifactType)], { subject, artifactType });
}

test.each([true, false])("referrers, with the API: %s", async (hasApi) => {
  const http = new FakeRegistry();
  http.hasReferrersApi = hasApi;
  const { client } = fakeClient(http);
  await client.copy(image, target);
  for (const type of ["text/one", "text/two", "text/two"]) {
    const source = referrer(image.root, type);
    await client.copy(source, `registry.test/app@${source.root.digest}`);
  }
  expect((await client.referrers(target)).map(({ artifactType }) => artifactType).toSorted()).toEqual([
    "text/one",
    "text/two",
  ]);
  expect(await client.referrers(target, { artifactType: "text/one" })).toHaveLength(1);
  expect(lines(http, /^PUT .*manifests\/sha256-/)).toHaveLength(hasApi ? 0 : 2);
});
