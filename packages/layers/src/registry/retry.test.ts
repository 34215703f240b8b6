// What is repeated, how often, and how long the waits are.
import { LapError } from "@lapstrake/base";
import { expect, test } from "vitest";
import { DEFAULT_RETRY, retryAfterMs, withRetry } from "./retry.ts";
import { FakeRegistry, reply } from "./testing/fake-registry.ts";
import { FakeClock, codeOf, cutError, fakeClient } from "./testing/setup.ts";

const name = "registry.test/app:1";

function failing(times: number, answer: () => ReturnType<typeof reply>): { http: FakeRegistry } {
  const http = new FakeRegistry();
  http.hook = (_line, _request, count) => (count <= times ? answer() : undefined);
  return { http };
}

test.each([408, 429, 500, 502, 503, 504])("status %d is asked again", async (status) => {
  const { http } = failing(2, () => reply(status));
  const { client, clock } = fakeClient(http);
  expect(await client.resolve(name)).toBeUndefined();
  expect(http.sent).toHaveLength(3);
  expect(clock.slept).toHaveLength(2);
});

test.each([400, 403, 404, 410])("status %d is final", async (status) => {
  const { http } = failing(9, () => reply(status));
  await codeOf(fakeClient(http).client.manifest(name));
  expect(http.sent).toHaveLength(1);
});

test("waits double from the base to the cap, with jitter, and end", async () => {
  const { http } = failing(99, () => reply(503));
  const { client, clock } = fakeClient(http, { retry: { attempts: 7, baseMs: 100, capMs: 800 } });
  expect(await codeOf(client.manifest(name))).toBe("ERR_LAP_REGISTRY_UNAVAILABLE");
  expect(clock.slept).toHaveLength(6);
  for (const [at, most] of [100, 200, 400, 800, 800, 800].entries()) {
    expect(clock.slept[at]).toBeLessThanOrEqual(most);
    expect(clock.slept[at]).toBeGreaterThanOrEqual(most / 2);
  }
});

test("Retry-After is obeyed up to its limit, in seconds and as a date", async () => {
  const seconds = failing(1, () => reply(429, { "retry-after": "7" }));
  const first = fakeClient(seconds.http);
  await first.client.resolve(name);
  expect(first.clock.slept).toEqual([7000]);
  const tooLong = failing(1, () => reply(429, { "retry-after": "3600" }));
  const second = fakeClient(tooLong.http);
  expect(await codeOf(second.client.manifest(name))).toBe("ERR_LAP_REGISTRY_RATE_LIMIT");
  expect(second.clock.slept).toEqual([]);
  const clock = new FakeClock();
  expect(retryAfterMs(new Date(clock.ms + 5000).toUTCString(), clock)).toBe(5000);
  expect(retryAfterMs("yesterday", clock)).toBeUndefined();
  expect(retryAfterMs("-5", clock) ?? 0).toBe(0);
});

test("a refused connection is not hammered, a broken one is tried again", async () => {
  for (const [code, tries] of [
    ["ERR_LAP_HTTP_REFUSED", 1],
    ["ERR_LAP_HTTP_TLS", 1],
    ["ERR_LAP_HTTP_CUT", DEFAULT_RETRY.attempts],
  ] as const) {
    let count = 0;
    const work = withRetry(new FakeClock(), DEFAULT_RETRY, undefined, () => {
      count++;
      return Promise.reject(new LapError("unavailable", code, "no"));
    });
    expect(await codeOf(work)).toBe(code);
    expect(count).toBe(tries);
  }
});

test("an abort while waiting ends the wait with its reason", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const work = withRetry(new FakeClock(), DEFAULT_RETRY, controller.signal, () => {
    controller.abort(reason);
    return Promise.reject(cutError());
  });
  await expect(work).rejects.toBe(reason);
});
