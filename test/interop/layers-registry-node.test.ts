// What the registry client finds in the machine: login files, credential helpers as programs, certificate folders, proxies.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LapError } from "@lapstrake/base";
import { openRegistryClient } from "@lapstrake/layers";
import { keepLogin, nodeCredentials, nodeHelpers, nodeRegistry, readCertificates } from "@lapstrake/layers/node";
import { afterEach, beforeEach, expect, test } from "vitest";

let folder = "";
const path = process.env["PATH"];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lap-registry-node-"));
  process.env["PATH"] = `${folder}:${path}`;
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true, force: true });
});

function helper(name: string, script: string): void {
  const file = join(folder, `docker-credential-${name}`);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof LapError ? error.code : String(error);
  }
  return "no error";
}

test("a login that is kept is found again, the file is private, and logout forgets it", async () => {
  const env = { DOCKER_CONFIG: join(folder, "docker"), HOME: folder };
  const login = { kind: "basic", username: "u", password: "p" } as const;
  expect(await nodeCredentials(env)("r.test", "")).toBeUndefined();
  expect(await keepLogin(env, "r.test", login)).toBe(true);
  expect(await nodeCredentials(env)("r.test", "a/b")).toEqual(login);
  expect(statSync(join(folder, "docker/config.json")).mode & 0o777).toBe(0o600);
  expect(await keepLogin(env, "r.test", undefined)).toBe(true);
  expect(await keepLogin(env, "r.test", undefined)).toBe(false);
  expect(await nodeCredentials(env)("r.test", "")).toBeUndefined();
});

test("podman's file comes first when it is named, and last when it lies where podman keeps it", async () => {
  const auths = (user: string): string => JSON.stringify({ auths: { "r.test": { username: user, password: "p" } } });
  mkdirSync(join(folder, ".docker"));
  mkdirSync(join(folder, "containers"));
  writeFileSync(join(folder, "containers/auth.json"), auths("podman"));
  expect(await nodeCredentials({ HOME: folder, XDG_RUNTIME_DIR: folder })("r.test", "")).toMatchObject({
    username: "podman",
  });
  writeFileSync(join(folder, ".docker/config.json"), auths("docker"));
  expect(await nodeCredentials({ HOME: folder, XDG_RUNTIME_DIR: folder })("r.test", "")).toMatchObject({
    username: "docker",
  });
  writeFileSync(join(folder, "named.json"), auths("named"));
  const env = { HOME: folder, REGISTRY_AUTH_FILE: join(folder, "named.json") };
  expect(await nodeCredentials(env)("r.test", "")).toMatchObject({ username: "named" });
  writeFileSync(join(folder, "named.json"), "{");
  expect(await codeOf(nodeCredentials(env)("r.test", ""))).toBe("ERR_LAP_JSON_INVALID");
});

test("a helper is a program that reads the registry's name", async () => {
  helper("echo", `read -r name; printf '{"Username":"%s","Secret":"%s"}' "$name" "$1"`);
  writeFileSync(join(folder, "config.json"), `{"credsStore":"echo"}`);
  const find = nodeCredentials({ DOCKER_CONFIG: folder });
  expect(await find("r.test", "")).toEqual({ kind: "basic", username: "r.test", password: "get" });
});

test("helpers that are missing, killed, endless or no names end with an error", async () => {
  helper("killed", "kill -9 $$");
  helper("endless", "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done");
  helper("deaf", "exec <&-; echo '{}'");
  for (const name of ["missing", "killed", "endless", "../bin/sh", "a b", ""]) {
    expect(await codeOf(nodeHelpers.run(name, "get", "r.test")), name).toBe("ERR_LAP_CREDENTIAL_HELPER");
  }
  expect(await nodeHelpers.run("deaf", "get", "x".repeat(1_000_000))).toMatchObject({ status: 0 });
});

test("a certificate folder: none, authorities, a pair, a certificate without its key", () => {
  expect(readCertificates(join(folder, "none"))).toBeUndefined();
  writeFileSync(join(folder, "b.crt"), "B");
  writeFileSync(join(folder, "a.crt"), "A");
  expect(readCertificates(folder)).toEqual({ ca: ["A", "B"] });
  writeFileSync(join(folder, "client.cert"), "C");
  expect(() => readCertificates(folder)).toThrow("has no key");
  writeFileSync(join(folder, "client.key"), "K");
  expect(readCertificates(folder)).toEqual({ ca: ["A", "B"], cert: "C", key: "K" });
  expect(readFileSync(join(folder, "client.key"), "utf8")).toBe("K");
});

test("the environment's proxy is asked for other hosts, never for this machine", async () => {
  const seen: string[] = [];
  const proxy: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(200).end("{}");
  });
  proxy.listen(0, "127.0.0.1");
  await new Promise((resolve) => proxy.once("listening", resolve));
  const { port } = proxy.address() as AddressInfo;
  const env = { HTTP_PROXY: `http://127.0.0.1:${port}`, HOME: folder };
  {
    using node = nodeRegistry({ env, insecure: ["registry.invalid"], certificates: folder });
    const client = openRegistryClient({ ...node, retry: { attempts: 1 } });
    await client.ping("registry.invalid");
    expect(seen).toEqual(["GET http://registry.invalid/v2/"]);
    expect(await codeOf(client.ping("127.0.0.1:1"))).toBe("ERR_LAP_HTTP_REFUSED");
    expect(seen).toHaveLength(1);
  }
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});
