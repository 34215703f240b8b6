// Reading blobs: resumed where they broke, and refused as soon as they cannot be right.
import { MEDIA_TYPE } from "@lapstrake/base";
import { expect, test } from "vitest";
import { readBlob } from "./blobs.ts";
import { FakeRegistry, reply } from "./testing/fake-registry.ts";
import { codeOf, cutError, describeBytes, fakeClient, repository } from "./testing/setup.ts";

const bytes = Uint8Array.from({ length: 10_000 }, (_, at) => at % 251);
const descriptor = describeBytes(bytes, MEDIA_TYPE.layer);

function registry(): FakeRegistry {
  const http = new FakeRegistry();
  http.blobs.set(`app@${descriptor.digest}`, bytes);
  return http;
}

async function read(http: FakeRegistry, signal?: AbortSignal): Promise<Uint8Array> {
  const { transport } = fakeClient(http);
  const chunks = await Array.fromAsync(readBlob(transport, repository(), descriptor, { signal }));
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

/** An answer that breaks after `count` bytes. */
function broken(from: number, count: number, status = 200): ReturnType<typeof reply> {
  const range = status === 206 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {};
  async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
    yield await Promise.resolve(bytes.subarray(from, from + count));
    throw cutError();
  }
  return { status, headers: { "content-length": String(bytes.length - from), ...range }, body: body() };
}

function ranges(http: FakeRegistry): (string | undefined)[] {
  return http.requests.map(({ headers }) => headers["range"]);
}

test("a broken body goes on where it broke, however often it makes progress", async () => {
  const http = registry();
  http.hook = (_line, _request, count) =>
    count <= 9 ? broken((count - 1) * 1000, 1000, count === 1 ? 200 : 206) : undefined;
  expect(await read(http)).toEqual(bytes);
  expect(ranges(http)).toEqual([undefined, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((k) => `bytes=${k * 1000}-`)]);
});

test("without progress the tries end", async () => {
  const http = registry();
  http.hook = () => broken(0, 0);
  expect(await codeOf(read(http))).toBe("ERR_LAP_HTTP_CUT");
  expect(http.sent).toHaveLength(5);
});

test("progress of a byte at a time ends too", async () => {
  const http = registry();
  http.hook = (_line, _request, count) => broken(count - 1, 1, count === 1 ? 200 : 206);
  expect(await codeOf(read(http))).toBe("ERR_LAP_HTTP_CUT");
  expect(http.sent.length).toBeLessThan(100);
});

test("a server without ranges is read from the start, and what was read is not passed on twice", async () => {
  const http = registry();
  http.hook = (_line, _request, count) => (count === 1 ? broken(0, 700) : reply(200, {}, bytes));
  expect(await read(http)).toEqual(bytes);
});

test.each<[string, () => ReturnType<typeof reply>, string, number]>([
  ["another length", () => reply(200, {}, bytes.subarray(1)), "ERR_LAP_DIGEST_MISMATCH", 1],
  ["other bytes", () => reply(200, {}, Uint8Array.from(bytes).fill(7)), "ERR_LAP_DIGEST_MISMATCH", 1],
  ["no such blob", () => reply(404), "ERR_LAP_REGISTRY_NOT_FOUND", 1],
  ["a partial answer nobody asked for", () => reply(206, {}, bytes), "ERR_LAP_REGISTRY_RESPONSE", 1],
])("%s fails at once", async (_name, answer, code, tries) => {
  const http = registry();
  http.hook = answer;
  expect(await codeOf(read(http))).toBe(code);
  expect(http.sent).toHaveLength(tries);
});

test("a reader that leaves ends the body", async () => {
  const http = registry();
  let ended = false;
  http.hook = () => {
    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) yield await Promise.resolve(bytes.subarray(0, 10));
      } finally {
        ended = true;
      }
    }
    return { status: 200, headers: {}, body: body() };
  };
  for await (const chunk of readBlob(fakeClient(http).transport, repository(), descriptor)) {
    expect(chunk.length).toBe(10);
    break;
  }
  expect(ended).toBe(true);
});
