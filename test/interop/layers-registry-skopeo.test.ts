// skopeo reads what we push and we read what it pushes, in both manifest formats; each finds the login that the other kept.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { layoutSource, openRegistryClient } from "@lapstrake/layers";
import { keepLogin, nodePorts, nodeRegistry, openNodeDir } from "@lapstrake/layers/node";
import { expect, test } from "vitest";
import { needs } from "../support/facts.ts";
import { addImage, fileTar, noise, testClient, testStore } from "./layers-registry-fixtures.ts";
import { LOGIN, startPeer } from "./layers-registry-peer.ts";

function skopeo(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("skopeo", ["--insecure-policy", ...args], { timeout: 60_000 });
  if (status !== 0) throw new Error(`skopeo ${args[0]}: ${stderr.toString()}`);
  return stdout.toString();
}

function temporary(): Disposable & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "lap-skopeo-"));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

needs("command:docker-registry", "command:skopeo").describe("skopeo", () => {
  const tls = "--src-tls-verify=false";
  const destTls = "--dest-tls-verify=false";

  test("reads what we push, appended layers and zstd included", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using work = temporary();
    using client = testClient();
    await addImage(from.store, `${registry.host}/base:1`, [100_000, 5000]);
    await client.client.push(from.store, `${registry.host}/base:1`, { chunkBytes: 65_536 });
    for (const compression of ["gzip", "zstd"] as const) {
      const layer = fileTar("app", noise(50_000, 3));
      const target = `${registry.host}/app:${compression}`;
      const { target: root } = await client.client.append({
        base: `${registry.host}/base:1`,
        target,
        layer,
        compression,
      });
      skopeo("copy", tls, `docker://${target}`, `oci:${work.folder}:${compression}`);
      using dir = openNodeDir(work.folder);
      expect(layoutSource(dir, nodePorts.hash, compression).root.digest).toBe(root.digest);
      using store = testStore();
      const loaded = await store.store.load({ kind: "dir", dir });
      expect(store.store.resolve(loaded.at(-1)!.id).layers).toHaveLength(3);
    }
  });

  test("writes what we read, as OCI and as Docker schema 2", async () => {
    await using registry = await startPeer();
    using from = testStore();
    using work = temporary();
    using client = testClient();
    const image = await addImage(from.store, `${registry.host}/app:1`, [100_000, 5000]);
    await client.client.push(from.store, `${registry.host}/app:1`);
    skopeo("copy", tls, `docker://${registry.host}/app:1`, `oci:${work.folder}:1`);
    for (const [format, mediaType] of [
      ["oci", "application/vnd.oci.image.manifest.v1+json"],
      ["v2s2", "application/vnd.docker.distribution.manifest.v2+json"],
    ] as const) {
      const target = `${registry.host}/theirs:${format}`;
      skopeo("copy", destTls, "--format", format, `oci:${work.folder}:1`, `docker://${target}`);
      using to = testStore();
      const pulled = await client.client.pull(to.store, target);
      expect(pulled.target.mediaType).toBe(mediaType);
      const layers = to.store.resolve(target).layers.map(({ diffID }) => diffID);
      expect(layers).toEqual(image.layers.map(({ diffID }) => diffID));
      const back = await client.client.push(to.store, target, { reference: `${registry.host}/back:${format}` });
      const inspected = skopeo(
        "inspect",
        "--tls-verify=false",
        "--format",
        "{{.Digest}}",
        `docker://${registry.host}/back:${format}`,
      );
      expect(inspected.trim()).toBe(back.target.digest);
    }
  });

  test("logins", async () => {
    await using registry = await startPeer({ auth: "basic" });
    using from = testStore();
    using work = temporary();
    const theirs = join(work.folder, "theirs.json");
    await addImage(from.store, `${registry.host}/app:1`, [10]);
    const { username, password } = LOGIN;
    skopeo("login", "--tls-verify=false", "--authfile", theirs, "-u", username, "-p", password, registry.host);
    using node = nodeRegistry({ env: { REGISTRY_AUTH_FILE: theirs, HOME: work.folder } });
    await openRegistryClient({ ...nodePorts, ...node }).push(from.store, `${registry.host}/app:1`);

    const env = { DOCKER_CONFIG: join(work.folder, "ours"), HOME: work.folder };
    await keepLogin(env, registry.host, { kind: "basic", ...LOGIN });
    const ours = join(work.folder, "ours/config.json");
    expect(skopeo("list-tags", "--tls-verify=false", "--authfile", ours, `docker://${registry.host}/app`)).toContain(
      `"1"`,
    );
  });
});
