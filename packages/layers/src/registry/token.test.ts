// Logging in: what is sent where, what is kept, what is renewed.
import type { HttpRequest } from "@lapstrake/base";
import { expect, test } from "vitest";
import { FakeRegistry, reply } from "./testing/fake-registry.ts";
import { codeOf, fakeClient, memoryImage, utf8 } from "./testing/setup.ts";
import type { Credential } from "./types.ts";

const REALM = "https://auth.registry.test/token";
const name = "registry.test/app:1";

interface Guarded {
  readonly http: FakeRegistry;
  /** Requests at the realm. */
  readonly asked: { readonly url: URL; readonly request: HttpRequest }[];
}

/** A registry that wants `Bearer tN`, where N counts the tokens given; `lives` is what expires_in says. */
function guarded(lives = 300, isValid: (token: string) => boolean = () => true): Guarded {
  const http = new FakeRegistry();
  const asked: Guarded["asked"] = [];
  const inner = http.request.bind(http);
  http.hook = (_line, request) => {
    const token = /^Bearer (t[0-9]+)$/.exec(request.headers["authorization"] ?? "")?.[1];
    if (token !== undefined && isValid(token)) return undefined;
    return reply(401, { "www-authenticate": `Bearer realm="${REALM}",service="svc",scope="repository:evil:*"` });
  };
  http.request = (url, request) => {
    if (!url.startsWith(REALM)) return inner(url, request);
    asked.push({ url: new URL(url), request });
    return Promise.resolve(reply(200, {}, JSON.stringify({ access_token: `t${asked.length}`, expires_in: lives })));
  };
  return { http, asked };
}

function client(http: FakeRegistry, credential?: Credential) {
  return fakeClient(http, { credentials: () => Promise.resolve(credential) });
}

test("anonymous: our own scope is asked for, never the server's", async () => {
  const { http, asked } = guarded();
  expect(await client(http).client.resolve(name)).toBeUndefined();
  expect(asked.map(({ url }) => url.search)).toEqual(["?service=svc&scope=repository%3Aapp%3Apull"]);
  expect(asked[0]!.request.headers["authorization"]).toBeUndefined();
});

test("a login goes to the realm only, and one token serves all requests of its scope", async () => {
  const { http, asked } = guarded();
  const logged = client(http, { kind: "basic", username: "ü", password: "p" });
  for (let i = 0; i < 5; i++) await logged.client.resolve(name);
  expect(asked).toHaveLength(1);
  expect(asked[0]!.request.headers["authorization"]).toBe(`Basic ${btoa("\u00c3\u00bc:p")}`);
  expect(http.requests.every(({ headers }) => !(headers["authorization"] ?? "").startsWith("Basic"))).toBe(true);
  await logged.client.delete(`registry.test/app@sha256:${"0".repeat(64)}`);
  expect(asked.at(-1)!.url.searchParams.getAll("scope")).toEqual(["repository:app:pull,delete"]);
});

test("a refresh token is posted, not shown in an address", async () => {
  const { http, asked } = guarded();
  await client(http, { kind: "identity", token: "secret" }).client.resolve(name);
  const { url, request } = asked[0]!;
  expect([request.method, url.search]).toEqual(["POST", ""]);
  expect(Object.fromEntries(new URLSearchParams(new TextDecoder().decode(request.body as Uint8Array)))).toEqual({
    grant_type: "refresh_token",
    refresh_token: "secret",
    client_id: "lapstrake",
    service: "svc",
    scope: "repository:app:pull",
  });
});

test("a token is renewed when its time is over, and when the registry refuses it early", async () => {
  const { http, asked } = guarded(300);
  const timed = client(http);
  await timed.client.resolve(name);
  timed.clock.ms += 280_000;
  await timed.client.resolve(name);
  expect(asked).toHaveLength(1);
  timed.clock.ms += 20_000;
  await timed.client.resolve(name);
  expect(asked).toHaveLength(2);

  let valid = "t1";
  const early = guarded(300, (token) => token === valid);
  const revoked = client(early.http);
  await revoked.client.resolve(name);
  valid = "t2";
  expect(await revoked.client.resolve(name)).toBeUndefined();
  expect(early.asked).toHaveLength(2);
});

test("a short expires_in counts as a minute, as the specification says", async () => {
  const { http, asked } = guarded(1);
  const { client: short, clock } = client(http);
  await short.resolve(name);
  clock.ms += 40_000;
  await short.resolve(name);
  expect(asked).toHaveLength(1);
});

test("requests at the same time share one question", async () => {
  const { http, asked } = guarded();
  const logged = client(http);
  await logged.client.resolve(name);
  logged.clock.ms += 1_000_000;
  await Promise.all([1, 2, 3, 4].map(() => logged.client.resolve(name)));
  expect(asked.length).toBe(2);
});

test("a mount asks for both repositories at once", async () => {
  const { http, asked } = guarded();
  const logged = client(http, { kind: "basic", username: "u", password: "p" });
  const image = memoryImage([utf8("layer")]);
  await logged.client.copy(image, "registry.test/first:1");
  await logged.client.copy("registry.test/first:1", "registry.test/second:1");
  const scopes = asked.map(({ url }) => url.searchParams.getAll("scope"));
  expect(scopes).toContainEqual(["repository:second:pull,push", "repository:first:pull"]);
});

test("a token that never suffices ends, and basic is not tried with a bearer-only secret", async () => {
  const { http, asked } = guarded(300, () => false);
  expect(await codeOf(client(http).client.manifest(name))).toBe("ERR_LAP_REGISTRY_UNAUTHENTICATED");
  expect(asked).toHaveLength(1);
  const basic = new FakeRegistry();
  basic.hook = () => reply(401, { "www-authenticate": "Basic realm=x" });
  const identity = client(basic, { kind: "identity", token: "x" });
  expect(await codeOf(identity.client.manifest(name))).toBe("ERR_LAP_REGISTRY_UNAUTHENTICATED");
  expect(basic.requests.every(({ headers }) => headers["authorization"] === undefined)).toBe(true);
});
