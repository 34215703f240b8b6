// The registry client against a loopback server that lies, drips, cuts and redirects: every attack ends in an error, soon, and leaves
// nothing in the store that was not verified (advisories named where there is one).
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { LapError } from "@lapstrake/base";
import type { Credential } from "@lapstrake/layers";
import { afterEach, expect, test } from "vitest";
import { addImage, noise, testClient, testStore, type TestStore } from "./layers-registry-fixtures.ts";
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A server on `address`; routes are tried in order by prefix of "METHOD /path". */
async function serve(routes: Readonly<Record<string, Answer>>, address = "127.0.0.1"): Promise<string> {
  const server: Server = createServer((request, response) => {
    response.on("error", () => response.destroy());
    const line = `${request.method} ${request.url}`;
    const route = Object.entries(routes).find(([prefix]) => line.startsWith(prefix));
    if (route === undefined) response.writeHead(404).end();
    else route[1](request, response);
  });
  server.listen(0, address);
  await new Promise((resolve) => server.once("listening", resolve));
  open.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `${address}:${(server.address() as AddressInfo).port}`;
}

function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

const TYPES = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

const tar = Buffer.concat([noise(200_000), new Uint8Array(1024)]);
const layer = gzipSync(tar);
const config = Buffer.from(
  JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [sha256(tar)] } }),
);
const honest = {
  schemaVersion: 2,
  mediaType: TYPES.manifest,
  config: { mediaType: TYPES.config, digest: sha256(config), size: config.length },
  layers: [{ mediaType: TYPES.layer, digest: sha256(layer), size: layer.length }],
};

function send(body: Uint8Array | string, headers: Record<string, string> = {}): Answer {
  return (_request, response) => void response.writeHead(200, headers).end(body);
}

function document(value: unknown, type: string = TYPES.manifest, headers: Record<string, string> = {}): Answer {
  return send(JSON.stringify(value), { "content-type": type, ...headers });
}

const base: Readonly<Record<string, Answer>> = {
  "GET /v2/app/manifests/1": document(honest),
  [`GET /v2/app/blobs/${sha256(config)}`]: send(config),
  [`GET /v2/app/blobs/${sha256(layer)}`]: send(layer),
};
const LAYER = `GET /v2/app/blobs/${sha256(layer)}`;
const CONFIG = `GET /v2/app/blobs/${sha256(config)}`;
const MANIFEST = "GET /v2/app/manifests/1";

/** Pulls from a server with these routes over the honest ones; returns the error's code. */
async function attack(
  routes: Readonly<Record<string, Answer>>,
  options: Parameters<typeof testClient>[0] = {},
): Promise<string> {
  const host = await serve({ ...routes, ...base, ...routes });
  return pullCode(host, options);
}

async function pullCode(host: string, options: Parameters<typeof testClient>[0] = {}): Promise<string> {
  using target = testStore();
  using client = testClient({ idleMs: 300, ...options });
  try {
    await client.client.pull(target.store, `${host}/app:1`);
  } catch (error) {
    expectNothing(target);
    return error instanceof LapError ? error.code : `unexpected: ${String(error)}`;
  }
  return "pulled";
}

/** No image, no name, no half blob, and every visible blob is what its name says. */
function expectNothing({ store, folder }: TestStore): void {
  expect(store.list()).toEqual([]);
  expect(readdirSync(join(folder, "refs"))).toEqual([]);
  expect(readdirSync(join(folder, "ingest"))).toEqual([]);
  for (const { digest } of store.blobs.list()) expect(() => store.blobs.read(digest, 1e9)).not.toThrow();
}

test("the honest server is pulled from", async () => {
  expect(await attack({})).toBe("pulled");
});

test.each<[string, Answer, string]>([
  ["a layer that is cut at every try", cut(layer, 1000, 0), "ERR_LAP_HTTP_CUT"],
  ["a layer that ends early under a smaller length", send(layer.subarray(0, 500)), "ERR_LAP_DIGEST_MISMATCH"],
  ["a layer that ends early without a length", chunked(layer.subarray(0, 500)), "ERR_LAP_DIGEST_MISMATCH"],
  ["wrong bytes of the right length", send(noise(layer.length, 9)), "ERR_LAP_DIGEST_MISMATCH"],
  [
    "more bytes than announced by the descriptor",
    chunked(Buffer.concat([layer, noise(10)])),
    "ERR_LAP_DIGEST_MISMATCH",
  ],
  ["an endless layer", endless, "ERR_LAP_DIGEST_MISMATCH"],
  ["a layer that drips", drip, "ERR_LAP_HTTP_TIMEOUT"],
  ["a layer whose body never comes", silent, "ERR_LAP_HTTP_TIMEOUT"],
  ["a layer that is an error page", send("<html>", { "content-type": "text/html" }), "ERR_LAP_DIGEST_MISMATCH"],
  ["a layer that the registry denies", status(403), "ERR_LAP_REGISTRY_DENIED"],
  ["a layer that the registry lost", status(404), "ERR_LAP_REGISTRY_NOT_FOUND"],
  ["a registry that is down for good", status(503), "ERR_LAP_REGISTRY_UNAVAILABLE"],
  ["a limit with a day of Retry-After", status(429, { "retry-after": "86400" }), "ERR_LAP_REGISTRY_RATE_LIMIT"],
  ["redirects without end", redirect((url) => `${url}?again`), "ERR_LAP_REGISTRY_REDIRECT"],
  ["a redirect to a file", redirect(() => "file:///etc/passwd"), "ERR_LAP_REGISTRY_REDIRECT"],
  ["a redirect to nowhere", redirect(() => "http://"), "ERR_LAP_REGISTRY_REDIRECT"],
  ["a redirect with credentials", redirect(() => "http://user:pass@127.0.0.1/"), "ERR_LAP_REGISTRY_REDIRECT"],
])("%s", async (_name, answer, code) => {
  expect(await attack({ [LAYER]: answer })).toBe(code);
});

test.each<[string, Answer, string]>([
  ["an endless manifest", endless, "ERR_LAP_REGISTRY_TOO_LARGE"],
  ["a giant manifest by its length", send("{}", { "content-length": String(2 ** 40) }), "ERR_LAP_REGISTRY_TOO_LARGE"],
  ["a manifest that never comes", silent, "ERR_LAP_HTTP_TIMEOUT"],
  ["headers that never come", () => undefined, "ERR_LAP_HTTP_TIMEOUT"],
  ["a manifest nested a million deep", send(`{"a":${"[".repeat(1_000_000)}`), "ERR_LAP_JSON_INVALID"],
  ["a manifest that is no JSON", send("<html>"), "ERR_LAP_JSON_INVALID"],
  ["a manifest that is a list", send("[]"), "ERR_LAP_JSON_INVALID"],
  [
    "a digest header that is another's",
    document(honest, TYPES.manifest, { "docker-content-digest": sha256("x") }),
    "ERR_LAP_DIGEST_MISMATCH",
  ],
  [
    "a digest header that is a path",
    document(honest, TYPES.manifest, { "docker-content-digest": "../../x" }),
    "ERR_LAP_REGISTRY_RESPONSE",
  ],
  ["OCI 2021-41190: two media types", document(honest, TYPES.index), "ERR_LAP_DOCUMENT_INVALID"],
  ["OCI 2021-41190: index and manifest at once", document({ ...honest, manifests: [] }), "ERR_LAP_DOCUMENT_INVALID"],
  [
    "schema 1",
    document({ schemaVersion: 1 }, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    "ERR_LAP_DOCUMENT_UNSUPPORTED",
  ],
  [
    "c/image 2024-3727: a digest that is a path",
    document(withLayer({ digest: "sha256:../../../etc/passwd" })),
    "ERR_LAP_DOCUMENT_INVALID",
  ],
  ["a digest of the wrong length", document(withLayer({ digest: "sha256:abcd" })), "ERR_LAP_DOCUMENT_INVALID"],
  ["a negative size", document(withLayer({ size: -1 })), "ERR_LAP_DOCUMENT_INVALID"],
  ["a fractional size", document(withLayer({ size: 1.5 })), "ERR_LAP_DOCUMENT_INVALID"],
  ["a size that is smaller than the blob", document(withLayer({ size: 10 })), "ERR_LAP_DIGEST_MISMATCH"],
  ["a size that is larger than the blob", document(withLayer({ size: layer.length + 1 })), "ERR_LAP_DIGEST_MISMATCH"],
  [
    "ten thousand layers",
    document({ ...honest, layers: Array.from({ length: 10_000 }, () => honest.layers[0]) }),
    "ERR_LAP_DOCUMENT_INVALID",
  ],
  ["a manifest without layers", document({ ...honest, layers: undefined }), "ERR_LAP_DOCUMENT_INVALID"],
  ["an index that holds itself", document(selfIndex(), TYPES.index), "ERR_LAP_REGISTRY_NOT_FOUND"],
  [
    "an answer that is not HTTP",
    (_request, response) => void response.socket?.end("SSH-2.0\r\n"),
    "ERR_LAP_HTTP_INVALID",
  ],
])("%s", async (_name, answer, code) => {
  expect(await attack({ [MANIFEST]: answer })).toBe(code);
});

test("a config of another image fails on its digest, one that promises other layers on its diffID", async () => {
  expect(await attack({ [CONFIG]: send("{}") })).toBe("ERR_LAP_DIGEST_MISMATCH");
  const other = Buffer.from(config.toString().replace(sha256(tar), sha256("other")));
  const manifest = { ...honest, config: { ...honest.config, digest: sha256(other), size: other.length } };
  const routes = { [MANIFEST]: document(manifest), [`GET /v2/app/blobs/${sha256(other)}`]: send(other) };
  expect(await attack(routes)).toBe("ERR_LAP_DIGEST_MISMATCH");
});

test("indexes within indexes end", async () => {
  const routes: Record<string, Answer> = {};
  let below: object = { ...honest, digest: sha256(JSON.stringify(honest)) };
  let text = JSON.stringify(honest);
  let type: string = TYPES.manifest;
  for (let depth = 0; depth < 30; depth++) {
    const platform = { os: "linux", architecture: "amd64" };
    routes[`GET /v2/app/manifests/${sha256(text)}`] = send(text, { "content-type": type });
    below = {
      schemaVersion: 2,
      mediaType: TYPES.index,
      manifests: [{ mediaType: type, digest: sha256(text), size: text.length, platform }],
    };
    text = JSON.stringify(below);
    type = TYPES.index;
  }
  expect(await attack({ [MANIFEST]: send(text, { "content-type": type }), ...routes })).toBe("ERR_LAP_LIMIT");
});

test("a range answered with other bytes is refused; a server without ranges is read again from the start", async () => {
  const wrongRange: Answer = (request, response) => {
    if (request.headers.range === undefined) return cut(layer, 1000, layer.length)(request, response);
    response.writeHead(206, {
      "content-range": `bytes 0-${layer.length - 1001}/${layer.length}`,
      "content-length": String(layer.length - 1000),
    });
    response.end(layer.subarray(0, layer.length - 1000));
  };
  expect(await attack({ [LAYER]: wrongRange })).toBe("ERR_LAP_REGISTRY_RESPONSE");
  let tries = 0;
  const noRange: Answer = (request, response) =>
    (tries++ === 0 ? cut(layer, 1000, layer.length) : send(layer))(request, response);
  expect(await attack({ [LAYER]: noRange })).toBe("pulled");
  const mixed: Answer = (request, response) => {
    if (request.headers.range === undefined) return cut(layer, 1000, layer.length)(request, response);
    const rest = noise(layer.length - 1000, 3);
    response.writeHead(206, { "content-range": `bytes 1000-${layer.length - 1}/${layer.length}` }).end(rest);
  };
  expect(await attack({ [LAYER]: mixed })).toBe("ERR_LAP_DIGEST_MISMATCH");
});

const login: Credential = { kind: "basic", username: "u", password: "p" };
const credentials = (): Promise<Credential> => Promise.resolve(login);

function challenge(value: string): Answer {
  return (_request, response) => void response.writeHead(401, { "www-authenticate": value }).end();
}

test("containerd 2020-15157: a realm on another host gets neither the login nor a question", async () => {
  const asked: string[] = [];
  const thief = await serve(
    {
      "": (request, response) => {
        asked.push(request.url ?? "");
        response.end("{}");
      },
    },
    "127.0.0.2",
  );
  const code = await attack(
    { [MANIFEST]: challenge(`Bearer realm="http://${thief}/token",service="x"`) },
    { credentials },
  );
  expect(code).toBe("ERR_LAP_REGISTRY_REALM");
  expect(asked).toEqual([]);
});

test("a realm that the user named is asked", async () => {
  const tokens = await serve({ "GET /token": send(JSON.stringify({ token: "t" })) }, "127.0.0.2");
  const guarded: Answer = (request, response) =>
    (request.headers.authorization === "Bearer t"
      ? document(honest)
      : challenge(`Bearer realm="http://${tokens}/token"`))(request, response);
  const hosts = () => ({ realms: [tokens] });
  expect(await attack({ [MANIFEST]: guarded, [LAYER]: send(layer) }, { credentials, hosts })).toBe("pulled");
});

test.each([
  ["a realm that is a file", `Bearer realm="file:///etc/shadow"`, "ERR_LAP_REGISTRY_REALM"],
  ["a scheme that nobody speaks", `Negotiate`, "ERR_LAP_REGISTRY_SCHEME"],
  ["no scheme", ``, "ERR_LAP_REGISTRY_SCHEME"],
  ["a header of a megabyte's shape", `Bearer realm="${"x".repeat(7000)}"`, "ERR_LAP_REGISTRY_REALM"],
])("%s", async (_name, header, code) => {
  expect(await attack({ [MANIFEST]: challenge(header) }, { credentials })).toBe(code);
});

test.each<[string, Answer, string]>([
  ["an endless token", endless, "ERR_LAP_REGISTRY_TOO_LARGE"],
  ["a token that never comes", silent, "ERR_LAP_HTTP_TIMEOUT"],
  ["a token that is a header", send(JSON.stringify({ token: "a\r\nx: y" })), "ERR_LAP_REGISTRY_RESPONSE"],
  ["an answer without a token", send("{}"), "ERR_LAP_REGISTRY_RESPONSE"],
  ["a redirect instead of a token", redirect(() => "/elsewhere"), "ERR_LAP_REGISTRY_RESPONSE"],
  ["a token that is never good enough", send(JSON.stringify({ token: "t" })), "ERR_LAP_REGISTRY_UNAUTHENTICATED"],
])("%s", async (_name, answer, code) => {
  const host = await serve({
    "GET /token": answer,
    "GET /v2/app": (request, response) =>
      challenge(`Bearer realm="http://${request.headers.host}/token"`)(request, response),
  });
  expect(await pullCode(host, { credentials })).toBe(code);
});

test("a redirect to another host carries no authorization; back on the same host it does", async () => {
  const seen: Record<string, string | undefined> = {};
  const store = await serve(
    {
      "": (request, response) => {
        seen["other"] = request.headers.authorization ?? "none";
        response.end(layer);
      },
    },
    "127.0.0.2",
  );
  const guarded =
    (answer: Answer): Answer =>
    (request, response) =>
      (request.headers.authorization === undefined ? challenge("Basic realm=x") : answer)(request, response);
  const routes: Record<string, Answer> = {
    [MANIFEST]: guarded(document(honest)),
    [LAYER]: guarded(redirect(() => `http://${store}/blob`)),
    [CONFIG]: guarded(redirect(() => "/same")),
    "GET /same": (request, response) => {
      seen["same"] = request.headers.authorization;
      response.end(config);
    },
  };
  expect(await attack(routes, { credentials })).toBe("pulled");
  expect(seen["other"]).toBe("none");
  expect(seen["same"]).toMatch(/^Basic /);
});

test("an abort ends a pull at once, in every phase, and leaves nothing", async () => {
  for (const route of [MANIFEST, LAYER, CONFIG]) {
    const host = await serve({ ...base, [route]: silent });
    using target = testStore();
    using client = testClient({ idleMs: 120_000 });
    const began = Date.now();
    const reason = new Error("stop");
    await expect(client.client.pull(target.store, `${host}/app:1`, { signal: abortAfter(150, reason) })).rejects.toBe(
      reason,
    );
    expect(Date.now() - began).toBeLessThan(60_000);
    expectNothing(target);
  }
});

function abortAfter(ms: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), ms);
  return controller.signal;
}

test("pages of tags that never end, go elsewhere or are no list", async () => {
  const list = async (answer: Answer): Promise<string> => {
    const host = await serve({ "GET /v2/app/tags/list": answer });
    using client = testClient({ idleMs: 300 });
    try {
      for await (const tag of client.client.tags(`${host}/app`)) expect(tag).toBe("a");
    } catch (error) {
      return error instanceof LapError ? error.code : String(error);
    }
    return "listed";
  };
  const page = JSON.stringify({ tags: ["a"] });
  expect(await list(send(page, { link: `</v2/app/tags/list?more>; rel="next"` }))).toBe("ERR_LAP_LIMIT");
  expect(await list(send(page, { link: `<http://127.0.0.2:1/>; rel="next"` }))).toBe("ERR_LAP_REGISTRY_RESPONSE");
  expect(await list(send(`{"tags":"a"}`))).toBe("ERR_LAP_REGISTRY_RESPONSE");
  expect(await list(send(`{"tags":null}`))).toBe("listed");
});

test("a server that takes the connection and says nothing, or nothing in TLS, is given up", async () => {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => void sockets.add(socket.on("error", () => socket.destroy())));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  open.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await pullCode(host, { retry: { attempts: 1 } })).toBe("ERR_LAP_HTTP_TIMEOUT");
});

test("an upload location on another host gets no authorization, one that is a file is refused", async () => {
  const seen: string[] = [];
  const other = await serve(
    {
      "": (request, response) => {
        seen.push(request.headers.authorization ?? "none");
        response.writeHead(403).end();
      },
    },
    "127.0.0.2",
  );
  const push = async (location: string): Promise<string> => {
    const host = await serve({
      "HEAD /v2/": (request, response) =>
        (request.headers.authorization === undefined ? challenge("Basic realm=x") : status(404))(request, response),
      "POST /v2/": (_request, response) => void response.writeHead(202, { location }).end(),
    });
    using source = testStore();
    using client = testClient({ idleMs: 300, credentials });
    await addImage(source.store, `${host}/app:1`, [10]);
    try {
      await client.client.push(source.store, `${host}/app:1`);
      return "pushed";
    } catch (error) {
      return error instanceof LapError ? error.code : String(error);
    }
  };
  expect(await push(`http://${other}/upload`)).toBe("ERR_LAP_REGISTRY_DENIED");
  expect(new Set(seen)).toEqual(new Set(["none"]));
  expect(await push("file:///tmp/upload")).toBe("ERR_LAP_REGISTRY_REDIRECT");
});

test.each<[string, Answer, string]>([
  ["never reads the body", (request) => void request.pause(), "ERR_LAP_HTTP_TIMEOUT"],
  ["reads it and never answers", (request) => void request.resume(), "ERR_LAP_HTTP_TIMEOUT"],
  ["breaks in its middle", (request) => void request.once("data", () => request.destroy()), "ERR_LAP_HTTP_CUT"],
  ["answers before it is sent", status(403), "ERR_LAP_REGISTRY_DENIED"],
  [
    "claims success for another digest",
    status(201, { "docker-content-digest": sha256("x") }),
    "ERR_LAP_REGISTRY_RESPONSE",
  ],
])("an upload to a server that %s ends", async (name, answer, code) => {
  const isManifest = name.startsWith("claims");
  const host = await serve({
    "HEAD /v2/": status(404),
    "POST /v2/": (_request, response) => void response.writeHead(202, { location: "/v2/upload" }).end(),
    "PUT /v2/upload": (request, response) => {
      // the small config is taken, so that the attack meets a body that fills every buffer
      if (Number(request.headers["content-length"]) > 1_000_000) return answer(request, response);
      return void request.resume().once("end", () => response.writeHead(201).end());
    },
    "PUT /v2/app/manifests": answer,
    "DELETE /v2/upload": status(204),
  });
  using source = testStore();
  using client = testClient({ idleMs: 400 });
  await addImage(source.store, `${host}/app:1`, isManifest ? [10] : [30_000_000]);
  const began = Date.now();
  const push = client.client.push(source.store, `${host}/app:1`, { parallel: 1 });
  await expect(push).rejects.toMatchObject({ code });
  expect(Date.now() - began).toBeLessThan(10_000);
});

function withLayer(change: object): object {
  return { ...honest, layers: [{ ...honest.layers[0], ...change }] };
}

function selfIndex(): object {
  const platform = { os: "linux", architecture: "amd64" };
  return {
    schemaVersion: 2,
    mediaType: TYPES.index,
    manifests: [{ mediaType: TYPES.index, digest: sha256("self"), size: 100, platform }],
  };
}

function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => void response.writeHead(code, headers).end();
}

function redirect(to: (url: string) => string): Answer {
  return (request, response) => void response.writeHead(307, { location: to(request.url ?? "") }).end();
}

/** Sends `length` bytes of an announced `announced` (0: all) and breaks the connection. */
function cut(bytes: Uint8Array, length: number, announced: number): Answer {
  return (_request, response) => {
    response.writeHead(200, { "content-length": String(announced === 0 ? bytes.length : announced) });
    response.write(bytes.subarray(0, length), () => response.destroy());
  };
}

function chunked(bytes: Uint8Array): Answer {
  return (_request, response) => {
    response.writeHead(200);
    response.write(bytes);
    response.end();
  };
}

function endless(_request: IncomingMessage, response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once("drain", more);
  };
  response.writeHead(200);
  more();
}

function silent(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200);
  response.flushHeaders();
}

/** One byte now and then: never silent, never done. */
function drip(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write("x"), 50);
  response.on("close", () => clearInterval(timer));
}
