// The registry client against Debian's docker-registry: open, with a login, with tokens, with TLS; what is pushed comes back the same.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LapError, MEDIA_TYPE, type Descriptor, type Manifest } from "@lapstrake/base";
import { LayoutSink, layoutSource, type ContentSource, type Credential, type RegistryClient } from "@lapstrake/layers";
import { certificateFolders, nodePorts, openNodeDir } from "@lapstrake/layers/node";
import { expect, test } from "vitest";
import { needs } from "../support/facts.ts";
import { addImage, addIndex, fileTar, noise, testClient, testStore } from "./layers-registry-fixtures.ts";
import { LOGIN, makeCertificates, startPeer, startTokenServer } from "./layers-registry-peer.ts";

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof LapError ? error.code : String(error);
  }
  return "no error";
}

function credentials(credential: Credential) {
  return (): Promise<Credential> => Promise.resolve(credential);
}

const login: Credential = { kind: "basic", ...LOGIN };

/** Pushes an artifact that says something about `subject`. */
async function pushReferrer(
  client: RegistryClient,
  host: string,
  subject: Descriptor,
  artifactType: string,
  at: number,
): Promise<void> {
  const config = new TextEncoder().encode("{}");
  const described = {
    mediaType: MEDIA_TYPE.empty,
    digest: nodePorts.hash.digest("sha256", config),
    size: config.length,
  };
  const mediaType = MEDIA_TYPE.manifest;
  const annotations = { at: String(at) };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType,
    artifactType,
    config: described,
    layers: [described],
    subject,
    annotations,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  const root = { mediaType, digest: nodePorts.hash.digest("sha256", bytes), size: bytes.length };
  const source: ContentSource = {
    root,
    document: () => Promise.resolve(bytes),
    async *blob() {
      yield await Promise.resolve(config);
    },
  };
  await client.copy(source, `${host}/app@${root.digest}`);
}

/** A proxy that breaks each connection after `limit` bytes of answers. */
async function cuttingProxy(
  upstream: string,
  limit: number,
): Promise<AsyncDisposable & { readonly host: string; bytes(): number }> {
  const sockets = new Set<Socket>();
  let bytes = 0;
  const server: Server = createServer((socket) => {
    const [host = "", port = ""] = upstream.split(":");
    const up = connect(Number(port), host);
    for (const end of [socket, up]) {
      sockets.add(end);
      end.on("error", () => end.destroy());
    }
    let sent = 0;
    socket.pipe(up);
    up.on("data", (chunk: Buffer) => {
      const part = chunk.subarray(0, limit - sent);
      sent += part.length;
      bytes += part.length;
      socket.write(part);
      if (sent < limit) return;
      socket.end();
      up.destroy();
    });
    up.on("close", () => socket.end());
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes: () => bytes,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

needs("command:docker-registry").describe("open registry", () => {
  test("a pushed image comes back with equal digests, and is not sent or fetched twice", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using to = testStore();
    const name = `${registry.host}/team/app:1`;
    const image = await addImage(from.store, name, [300_000, 5000, 10]);
    using first = testClient();
    const events: string[] = [];
    await first.client.push(from.store, name, { progress: ({ status }) => events.push(status) });
    expect(events.filter((status) => status === "Pushed")).toHaveLength(4);

    using again = testClient();
    await again.client.push(from.store, name);
    expect(again.sent.filter((line) => /^(?:POST|PATCH)/.test(line))).toEqual([]);

    using puller = testClient();
    const pulled = await puller.client.pull(to.store, name);
    expect(pulled).toMatchObject({ changed: true, id: image.id, target: { digest: image.target.digest } });
    expect(to.store.resolve(name).layers).toEqual(image.layers);
    puller.sent.length = 0;
    expect(await puller.client.pull(to.store, name)).toMatchObject({ changed: false, id: image.id });
    expect(puller.sent).toEqual(["HEAD /v2/team/app/manifests/1"]);
  });

  test("pull by digest, and a digest that is not there", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using to = testStore();
    const image = await addImage(from.store, `${registry.host}/app:1`, [100]);
    using client = testClient();
    await client.client.push(from.store, `${registry.host}/app:1`);
    const byDigest = `${registry.host}/app@${image.target.digest}`;
    expect((await client.client.pull(to.store, byDigest)).id).toBe(image.id);
    const missing = `${registry.host}/app@sha256:${"0".repeat(64)}`;
    expect(await codeOf(client.client.pull(to.store, missing))).toBe("ERR_LAP_REGISTRY_NOT_FOUND");
    expect(await codeOf(client.client.pull(to.store, `${registry.host}/app:none`))).toBe("ERR_LAP_REGISTRY_NOT_FOUND");
  });

  test("parts: a chunked push arrives whole", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using to = testStore();
    const name = `${registry.host}/app:parts`;
    const image = await addImage(from.store, name, [1_000_000]);
    using client = testClient();
    await client.client.push(from.store, name, { chunkBytes: 128 * 1024 });
    expect(client.sent.filter((line) => line.startsWith("PATCH")).length).toBeGreaterThanOrEqual(8);
    expect((await client.client.pull(to.store, name)).id).toBe(image.id);
  });

  test("a blob of another repository is mounted, not sent", async () => {
    await using registry = await startPeer();
    using from = testStore();
    const name = `${registry.host}/first:1`;
    const image = await addImage(from.store, name, [50_000, 60_000]);
    using client = testClient();
    await client.client.push(from.store, name);
    from.store.tag(name, `${registry.host}/second:1`);
    client.sent.length = 0;
    const events: string[] = [];
    await client.client.push(from.store, name, {
      reference: `${registry.host}/second:1`,
      progress: ({ status }) => events.push(status),
    });
    expect(client.sent.filter((line) => line.startsWith("PUT") && line.includes("/blobs/"))).toEqual([]);
    expect(events.filter((status) => status === "Mounted from first")).toHaveLength(3);
    expect((await client.client.resolve(`${registry.host}/second:1`))?.digest).toBe(image.target.digest);
  });

  test("an index is kept whole, one platform is fetched, the other comes later", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using to = testStore();
    const amd = await addImage(from.store, `${registry.host}/multi:amd64`, [1000]);
    const arm = await addImage(from.store, `${registry.host}/multi:arm64`, [2000], {
      os: "linux",
      architecture: "arm64",
    });
    const digest = await addIndex(from.store, `${registry.host}/multi:1`, [amd, arm]);
    using client = testClient();
    expect((await client.client.push(from.store, `${registry.host}/multi:1`)).target.digest).toBe(digest);

    const name = `${registry.host}/multi:1`;
    expect(await client.client.pull(to.store, name)).toMatchObject({ id: amd.id, target: { digest } });
    expect(to.store.blobs.size(arm.layers[0]!.descriptor.digest)).toBeUndefined();
    const other = await client.client.pull(to.store, name, { platforms: [{ os: "linux", architecture: "arm64" }] });
    expect(other.target.digest).toBe(digest);
    expect(to.store.resolve(name, { os: "linux", architecture: "arm64" }).id).toBe(arm.id);
    const unknown = client.client.pull(to.store, name, { platforms: [{ os: "plan9", architecture: "mips" }] });
    expect(await codeOf(unknown)).toBe("ERR_LAP_NO_PLATFORM");
    // a store that has only part of an index sends the part it has
    using sparse = testStore();
    await client.client.pull(sparse.store, name);
    const pushed = await client.client.push(sparse.store, name, { reference: `${registry.host}/single:1` });
    expect(pushed.target.digest).toBe(amd.manifestDescriptor.digest);
  });

  test("tags and catalogue in pages, delete, delete again", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using client = testClient();
    for (const tag of ["1", "2", "3"]) {
      await addImage(from.store, `${registry.host}/app:${tag}`, [100 + Number(tag)]);
      await client.client.push(from.store, `${registry.host}/app:${tag}`);
    }
    await client.client.push(from.store, `${registry.host}/app:1`, { reference: `${registry.host}/b/c:1` });
    const tags = await Array.fromAsync(client.client.tags(`${registry.host}/app`, { pageSize: 1 }));
    expect(tags.toSorted()).toEqual(["1", "2", "3"]); // this registry keeps no order
    expect(await Array.fromAsync(client.client.repositories(registry.host, { pageSize: 1 }))).toEqual(["app", "b/c"]);
    expect(await client.client.delete(`${registry.host}/app:2`)).toBe(true);
    expect(await client.client.delete(`${registry.host}/app:2`)).toBe(false);
    expect(await client.client.resolve(`${registry.host}/app:2`)).toBeUndefined();
    expect(await client.client.resolve(`${registry.host}/app:1`)).toBeDefined();
    const layer = from.store.resolve(`${registry.host}/app:3`).layers[0]!.descriptor.digest;
    expect(await client.client.deleteBlob(`${registry.host}/app`, layer)).toBe(true);
    expect(await client.client.deleteBlob(`${registry.host}/app`, layer)).toBe(false);
  });

  test("referrers by the fall-back tag, narrowed by type", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using client = testClient();
    const name = `${registry.host}/app:1`;
    const image = await addImage(from.store, name, [100]);
    await client.client.push(from.store, name);
    for (const [at, artifactType] of ["application/vnd.example.sbom", "application/vnd.example.signature"].entries()) {
      await pushReferrer(client.client, registry.host, image.target, artifactType, at);
    }
    expect(await client.client.referrers(name)).toHaveLength(2);
    const found = await client.client.referrers(name, { artifactType: "application/vnd.example.sbom" });
    expect(found.map((item) => item.artifactType)).toEqual(["application/vnd.example.sbom"]);
  });

  test("copy from registry to registry and through a layout", async () => {
    await using a = await startPeer();
    await using b = await startPeer();
    using from = testStore();
    using to = testStore();
    using client = testClient();
    const image = await addImage(from.store, `${a.host}/app:1`, [200_000, 3000]);
    await client.client.push(from.store, `${a.host}/app:1`);
    expect((await client.client.copy(`${a.host}/app:1`, `${b.host}/copy/app:2`)).digest).toBe(image.target.digest);

    const folder = mkdtempSync(join(tmpdir(), "lap-layout-"));
    using dir = openNodeDir(folder);
    await client.client.copy(`${b.host}/copy/app:2`, new LayoutSink(dir, nodePorts.hash, "two"));
    await client.client.copy(layoutSource(dir, nodePorts.hash, "two"), `${a.host}/back:3`);
    expect((await client.client.pull(to.store, `${a.host}/back:3`)).id).toBe(image.id);
    using third = testStore();
    expect((await third.store.load({ kind: "dir", dir })).map(({ id }) => id)).toEqual([image.id]);
    expect(() => layoutSource(dir, nodePorts.hash, "none")).toThrow("no image");
    rmSync(folder, { recursive: true });
  });

  test("append puts a layer on a base that stays in the registry", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using to = testStore();
    const base = await addImage(from.store, `${registry.host}/base:1`, [500_000, 1000]);
    using client = testClient();
    await client.client.push(from.store, `${registry.host}/base:1`);
    client.sent.length = 0;
    await client.client.append({
      base: `${registry.host}/base:1`,
      target: `${registry.host}/app:1`,
      layer: fileTar("app.js", noise(100_000, 7)),
      config: { Cmd: ["node", "app.js"] },
      history: { created_by: "append" },
    });
    const fetched = base.layers.map(({ descriptor }) => `GET /v2/base/blobs/${descriptor.digest}`);
    expect(client.sent.filter((line) => fetched.includes(line))).toEqual([]);
    await client.client.pull(to.store, `${registry.host}/app:1`);
    const image = to.store.resolve(`${registry.host}/app:1`);
    expect(image.layers.slice(0, 2)).toEqual(base.layers);
    expect(image.layers).toHaveLength(3);
    expect(image.config.config?.Cmd).toEqual(["node", "app.js"]);
  });

  test("a connection that is cut again and again is resumed, not begun anew", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using to = testStore();
    const image = await addImage(from.store, `${registry.host}/app:1`, [3_000_000]);
    using client = testClient();
    await client.client.push(from.store, `${registry.host}/app:1`);
    await using proxy = await cuttingProxy(registry.host, 1_000_000);
    using cut = testClient();
    const pulled = await cut.client.pull(to.store, `${proxy.host}/app:1`);
    expect(pulled.id).toBe(image.id);
    const blob = `GET /v2/app/blobs/${image.layers[0]!.descriptor.digest}`;
    const count = cut.sent.filter((line) => line === blob).length;
    expect(count).toBeGreaterThan(2);
    expect(proxy.bytes()).toBeLessThan(3_000_000 * 1.5 + 200_000);
  });

  test("a mirror is asked first, and a mirror that fails is passed over", async () => {
    await using mirror = await startPeer();
    await using origin = await startPeer();
    using from = testStore();
    using to = testStore();
    const image = await addImage(from.store, `${origin.host}/team/app:1`, [1000]);
    using plain = testClient();
    await plain.client.push(from.store, `${origin.host}/team/app:1`);
    const mirrors = [{ prefix: `${origin.host}/team`, location: `${mirror.host}/cache` }];
    using client = testClient({ mirrors });
    expect((await client.client.pull(to.store, `${origin.host}/team/app:1`)).id).toBe(image.id);
    await plain.client.copy(`${origin.host}/team/app:1`, `${mirror.host}/cache/app:1`);
    await plain.client.delete(`${origin.host}/team/app:1`);
    using fresh = testStore();
    expect((await client.client.pull(fresh.store, `${origin.host}/team/app:1`)).id).toBe(image.id);
  });
});

needs("command:docker-registry").describe("registry with a login", () => {
  test("the right login pushes and pulls; a wrong one and none are refused", async () => {
    await using registry = await startPeer({ auth: "basic" });
    using from = testStore();
    using to = testStore();
    const name = `${registry.host}/app:1`;
    const image = await addImage(from.store, name, [1000]);
    using right = testClient({ credentials: credentials(login) });
    await right.client.ping(registry.host);
    await right.client.push(from.store, name);
    expect((await right.client.pull(to.store, name)).id).toBe(image.id);
    using wrong = testClient({ credentials: credentials({ kind: "basic", username: "tester", password: "guess" }) });
    expect(await codeOf(wrong.client.ping(registry.host))).toBe("ERR_LAP_REGISTRY_UNAUTHENTICATED");
    using none = testClient();
    expect(await codeOf(none.client.pull(to.store, name))).toBe("ERR_LAP_REGISTRY_UNAUTHENTICATED");
  });
});

needs("command:docker-registry", "command:openssl").describe("registry with tokens", () => {
  test("login, refresh token, anonymous, and one token for many requests", async () => {
    using certificates = makeCertificates();
    await using tokens = await startTokenServer(certificates, "refresh-1");
    const tokenCert = certificates.path("ca.crt");
    await using registry = await startPeer({ auth: "token", realm: tokens.realm, tokenCert });
    using from = testStore();
    const name = `${registry.host}/public/app:1`;
    const image = await addImage(from.store, name, [1000, 2000, 3000]);
    using pusher = testClient({ credentials: credentials(login) });
    await pusher.client.push(from.store, name);
    expect(new Set(tokens.requests.map(({ scopes }) => scopes.join(" "))).size).toBe(tokens.requests.length);

    using refreshing = testClient({ credentials: credentials({ kind: "identity", token: "refresh-1" }) });
    using a = testStore();
    expect((await refreshing.client.pull(a.store, name)).id).toBe(image.id);
    expect(tokens.requests.at(-1)).toMatchObject({ grant: "refresh_token", user: LOGIN.username });

    using anonymous = testClient();
    using b = testStore();
    expect((await anonymous.client.pull(b.store, name)).id).toBe(image.id);
    expect(tokens.requests.at(-1)).toMatchObject({ user: undefined, scopes: ["repository:public/app:pull"] });
    const push = anonymous.client.push(from.store, name, { reference: `${registry.host}/public/other:1` });
    expect(await codeOf(push)).toBe("ERR_LAP_REGISTRY_UNAUTHENTICATED");
    using wrong = testClient({ credentials: credentials({ kind: "identity", token: "stolen" }) });
    expect(await codeOf(wrong.client.ping(registry.host))).toBe("ERR_LAP_REGISTRY_UNAUTHENTICATED");
  });

  test("mounting asks for both repositories in one token", async () => {
    using certificates = makeCertificates();
    await using tokens = await startTokenServer(certificates, "r");
    await using registry = await startPeer({
      auth: "token",
      realm: tokens.realm,
      tokenCert: certificates.path("ca.crt"),
    });
    using from = testStore();
    await addImage(from.store, `${registry.host}/a:1`, [1000]);
    using client = testClient({ credentials: credentials(login) });
    await client.client.push(from.store, `${registry.host}/a:1`);
    const events: string[] = [];
    await client.client.copy(`${registry.host}/a:1`, `${registry.host}/b:1`, {
      progress: ({ status }) => events.push(status),
    });
    expect(events).toContain("Mounted from a");
    expect(tokens.requests.some(({ scopes }) => scopes.length === 2)).toBe(true);
  });
});

needs("command:docker-registry", "command:openssl").describe("registry with TLS", () => {
  test("its authority and our client certificate come from the folder of its host", async () => {
    using certificates = makeCertificates();
    const [cert, key, clientCa] = ["server.crt", "server.key", "ca.crt"].map((file) => certificates.path(file));
    await using registry = await startPeer({ tls: { cert: cert!, key: key!, clientCa: clientCa! } });
    using from = testStore();
    const name = `${registry.host}/app:1`;
    const image = await addImage(from.store, name, [1000]);
    using distrusting = testClient();
    expect(await codeOf(distrusting.client.push(from.store, name))).toBe("ERR_LAP_HTTP_TLS");

    const folder = join(certificates.folder, "certs.d", registry.host);
    mkdirSync(folder, { recursive: true });
    copyFileSync(certificates.path("ca.crt"), join(folder, "ca.crt"));
    using anonymous = testClient({ hosts: withFolders(certificates.folder) });
    expect(await codeOf(anonymous.client.push(from.store, name))).toBe("ERR_LAP_HTTP_TLS");
    copyFileSync(certificates.path("client.crt"), join(folder, "client.cert"));
    copyFileSync(certificates.path("client.key"), join(folder, "client.key"));
    using client = testClient({ hosts: withFolders(certificates.folder) });
    await client.client.push(from.store, name);
    using to = testStore();
    expect((await client.client.pull(to.store, name)).id).toBe(image.id);
    using plain = testClient({ hosts: () => ({ plainHttp: true }) });
    expect(await codeOf(plain.client.pull(to.store, `${registry.host}/other:1`))).not.toBe("no error");
  });
});

function withFolders(folder: string) {
  const tlsOf = certificateFolders(join(folder, "certs.d"));
  return (host: string) => {
    const tls = tlsOf(host);
    return tls === undefined ? undefined : { tls };
  };
}
