// Mirrors: asked first, passed over when they fail, believed in nothing.
import type { HttpPort } from "@lapstrake/base";
import { expect, test } from "vitest";
import { FakeRegistry, reply } from "./testing/fake-registry.ts";
import { codeOf, cutError, fakeClient, memoryImage, utf8 } from "./testing/setup.ts";

const image = memoryImage([utf8("layer")]);
const mirrors = [{ prefix: "registry.test", location: "mirror.test/cache" }];

async function pair(): Promise<{ origin: FakeRegistry; mirror: FakeRegistry; http: HttpPort }> {
  const [origin, mirror] = [new FakeRegistry(), new FakeRegistry("https://mirror.test")];
  await fakeClient(origin).client.copy(image, "registry.test/app:1");
  await fakeClient(mirror).client.copy(image, "mirror.test/cache/app:1");
  for (const registry of [origin, mirror]) registry.sent.length = 0;
  return {
    origin,
    mirror,
    http: { request: (url, request) => (url.startsWith(mirror.origin) ? mirror : origin).request(url, request) },
  };
}

async function blobOf(http: HttpPort, options = {}): Promise<string> {
  const { client } = fakeClient(http, { mirrors, ...options });
  const fetched = await client.manifest("registry.test/app:1");
  const chunks = await Array.fromAsync(client.blob("registry.test/app:1", image.blobs[1]!));
  expect(fetched.descriptor).toEqual(image.root);
  return chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
}

test("a mirror that has it spares the registry", async () => {
  const { origin, mirror, http } = await pair();
  expect(await blobOf(http)).toBe("layer");
  expect([origin.sent.length, mirror.sent.length]).toEqual([0, 2]);
});

test.each<[string, () => ReturnType<typeof reply>]>([
  ["has nothing", () => reply(404)],
  ["is down", () => reply(503)],
  ["wants a login", () => reply(401, { "www-authenticate": "Basic realm=x" })],
  [
    "is not reached",
    () => {
      throw cutError();
    },
  ],
  [
    "lies",
    () =>
      reply(
        200,
        { "content-type": "application/vnd.oci.image.manifest.v1+json", "docker-content-digest": image.root.digest },
        "{}",
      ),
  ],
])("a mirror that %s is passed over, with a warning", async (_name, answer) => {
  const { origin, mirror, http } = await pair();
  mirror.hook = answer;
  const warnings: string[] = [];
  const logger = { debug: () => undefined, warn: (message: string) => void warnings.push(message) };
  expect(await blobOf(http, { logger })).toBe("layer");
  expect(origin.sent).toHaveLength(2);
  expect(warnings.length).toBeGreaterThan(0);
});

test("the registry's credentials are not the mirror's, and pushes go to the registry only", async () => {
  const { origin, mirror, http } = await pair();
  const asked: string[] = [];
  mirror.hook = (_line, { headers }) =>
    headers["authorization"] === undefined ? reply(401, { "www-authenticate": "Basic realm=x" }) : undefined;
  const credentials = (domain: string) => {
    asked.push(domain);
    return Promise.resolve({ kind: "basic", username: domain, password: "p" } as const);
  };
  expect(await blobOf(http, { credentials })).toBe("layer");
  expect(new Set(asked)).toEqual(new Set(["mirror.test"]));
  await fakeClient(http, { mirrors }).client.copy(memoryImage([utf8("new")]), "registry.test/app:2");
  expect(mirror.sent.filter((line) => !line.startsWith("GET"))).toEqual([]);
  expect(origin.tags.has("app:2")).toBe(true);
});

test("without any mirror left the registry's error is the answer", async () => {
  const { http } = await pair();
  expect(await codeOf(fakeClient(http, { mirrors }).client.manifest("registry.test/app:none"))).toBe(
    "ERR_LAP_REGISTRY_NOT_FOUND",
  );
});
