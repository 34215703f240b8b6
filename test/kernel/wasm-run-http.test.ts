// Components that answer HTTP requests as containers: on a published port, on the machine's network, sending themselves through the policy
// of --allow-host and --secret, and told to end.
import type { ChildProcess } from "node:child_process";
import { createServer, type Server } from "node:http";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { PATIENCE_MS, until } from "../support/until.ts";
import { socketGuest } from "../support/wasm-socket-guest.ts";
import { httpGuests } from "../support/wasm-http-guests.ts";

/** For one request on a busy machine. */
const TIMEOUT_MS = PATIENCE_MS;
const SECRET = "abc-0123456789-xyz";

/** A free port of loopback. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

async function answered(url: string, init?: RequestInit): Promise<Response> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    try {
      return await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => void setTimeout(resolve, 50));
    }
  }
}

/** What a program prints to its end. */
async function spoken(child: ChildProcess): Promise<string> {
  child.stdin!.end();
  child.stderr!.resume();
  return text(child.stdout!);
}

/** Resolves when somebody listens. */
async function connected(port: number): Promise<void> {
  await until(`somebody listens on port ${port}`, () => listens(port));
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

needs("root", "overlayfs", "native").describe("components that answer requests", () => {
  let store: LapStore;
  let guest: (name: string) => string;

  beforeAll(async () => {
    store = new LapStore();
    const folder = join(store.folder, "guests");
    mkdirSync(folder);
    for (const [name, bytes] of Object.entries(await httpGuests())) writeFileSync(join(folder, `${name}.wasm`), bytes);
    guest = (name) => join(folder, `${name}.wasm`);
  });
  afterAll(() => store.close());

  it("sockets lead where --allow-host says, and nowhere else", async () => {
    const client = join(store.folder, "guests/client.wasm");
    writeFileSync(client, await socketGuest());
    const server = createTcpServer((socket) => {
      socket.on("data", (bytes) => socket.end(`${bytes.toString()} pong`));
      socket.on("error", () => socket.destroy());
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const run = (...flags: string[]): Promise<string> =>
      spoken(store.spawn(["run", "--rm", ...flags, client, String(port)]));
    const allowed = `127.0.0.1:${port}`;
    expect(await run("--network", "host", "--allow-host", allowed)).toBe("ping pong");
    // The number of access-denied, and of connection-refused in a network of its own.
    expect(await run("--network", "host", "--allow-host", "127.0.0.1")).toBe("01");
    expect(await run("--allow-host", allowed)).toBe("14");
    expect(await run()).toBe("01");
    server.close();
  });

  it("answer on a published port, several at a time, bodies streamed", async () => {
    const port = await freePort();
    store.ok("run", "-d", "--name", "web", "-p", `127.0.0.1:${port}:80`, guest("echo"));
    const url = `http://127.0.0.1:${port}/`;
    expect((await answered(url)).status).toBe(201);
    const large = "x".repeat(1_000_000);
    const texts = await Promise.all(
      ["one", "two", large].map(async (body) => (await answered(url, { method: "POST", body })).text()),
    );
    expect(texts.map((text) => text.length)).toEqual([3, 3, 1_000_000]);
    expect(store.ok("ps", "--format", "{{.Ports}}")).toBe(`127.0.0.1:${port}->80/tcp`);
    // Told to end it does, long before it would be killed: with 0, not 137.
    store.ok("stop", "-t", "1000", "web");
    expect(store.ok("inspect", "-f", "{{.State.ExitCode}}", "web")).toBe("0");
    store.ok("rm", "web");
  });

  it("take the port that the image or the request exposes, on the machine's network", async () => {
    const port = await freePort();
    store.ok("run", "-d", "--name", "near", "--network", "host", "--expose", `${port}`, guest("echo"));
    expect((await answered(`http://127.0.0.1:${port}/`, { method: "POST", body: "a" })).status).toBe(201);
    store.ok("rm", "-f", "near");
  });

  it("answer 500 for a guest that traps, go on, and say why in the log", async () => {
    const port = await freePort();
    store.ok("run", "-d", "--name", "traps", "-p", `127.0.0.1:${port}:80`, guest("trap"));
    expect((await answered(`http://127.0.0.1:${port}/`)).status).toBe(500);
    expect((await answered(`http://127.0.0.1:${port}/`)).status).toBe(500);
    expect(store.run(["logs", "traps"]).stderr).toMatch(/a request failed: .*unreachable/);
    store.ok("rm", "-f", "traps");
  });

  it("start anew when a request computes past --limit timeout", async () => {
    const port = await freePort();
    const limit = ["--limit", "timeout=200ms"];
    store.ok("run", "-d", "--name", "spins", ...limit, "-p", `127.0.0.1:${port}:80`, guest("spin"));
    const url = `http://127.0.0.1:${port}/`;
    await connected(port);
    await expect(fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })).rejects.toThrow("fetch failed");
    await connected(port);
    await expect(fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })).rejects.toThrow("fetch failed");
    expect(store.run(["logs", "spins"]).stderr).toMatch(/computed past its time limit, and starts anew/);
    await connected(port);
    store.ok("stop", "spins");
    expect(store.ok("inspect", "-f", "{{.State.ExitCode}}", "spins")).toBe("0");
    store.ok("rm", "spins");
  });

  it("find each other by name on a network of their own", async () => {
    const port = await freePort();
    store.ok("network", "create", "--subnet", "10.213.7.0/24", "inner");
    store.ok("run", "-d", "--name", "upstream", "--network", "inner", guest("echo"));
    const args = ["--network", "inner", "--allow-host", "upstream", "-p", `127.0.0.1:${port}:80`];
    store.ok("run", "-d", "--name", "sender", ...args, guest("send"));
    expect((await answered(`http://127.0.0.1:${port}/upstream`)).status).toBe(201);
    store.ok("rm", "-f", "sender", "upstream");
    store.ok("network", "rm", "inner");
  });
});

needs("root", "overlayfs", "native").describe("what a guest may send", () => {
  let store: LapStore;
  let server: Server;
  let port = 0;
  const keys: (string | undefined)[] = [];

  /** On the machine's network, where the test's server is: gives the status that the guest got, or 512 and the number of its error-code. */
  const onHost = async (...flags: string[]): Promise<(authority: string) => Promise<number>> => {
    const own = await freePort();
    const args = ["--network", "host", "--expose", `${own}`, ...flags, join(store.folder, "send.wasm")];
    store.ok("run", "-d", "--name", `send${own}`, ...args);
    return async (authority) => (await answered(`http://127.0.0.1:${own}/${authority}`)).status;
  };

  beforeAll(async () => {
    store = new LapStore();
    writeFileSync(join(store.folder, "send.wasm"), (await httpGuests()).send);
    server = createServer((request, response) => {
      keys.push(request.headers["x-key"]?.toString());
      response.writeHead(204);
      response.end();
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    await new Promise((resolve) => void server.close(resolve));
    await store.close();
  });

  it("is nothing by default", async () => {
    const send = await onHost();
    expect(await send(`127.0.0.1:${port}`)).toBe(512);
    expect(keys).toEqual([]);
  });

  it("is what --allow-host names, by host and port", async () => {
    const send = await onHost("--allow-host", `127.0.0.1:${port}`, "--allow-host", "*.example.com");
    expect(await send(`127.0.0.1:${port}`)).toBe(204);
    expect(await send(`127.0.0.1:${port === 1 ? 2 : 1}`)).toBe(512);
    expect(await send(`localhost:${port}`)).toBe(512);
    expect(keys.splice(0)).toEqual([undefined]);
  });

  it("has secrets that the guest never holds", async () => {
    const file = join(store.folder, "key");
    writeFileSync(file, `${SECRET}\n`);
    const allow = ["--allow-host", `127.0.0.1:${port}`, "--allow-host", `localhost:${port}`];
    const send = await onHost(...allow, "--secret", `KEY=file:${file},host=127.0.0.1`);
    expect(await send(`127.0.0.1:${port}`)).toBe(204);
    expect(await send(`localhost:${port}`)).toBe(204);
    const [put, kept] = keys.splice(0);
    expect(put).toBe(SECRET);
    expect(kept).toMatch(/^secret-KEY-[0-9a-f]{24}$/);
    const [id] = store.ok("ps", "-lq", "--no-trunc").split("\n");
    expect(store.ok("inspect", id!)).not.toContain(SECRET);
    const dir = join(store.root, "containers", id!);
    const holding = readdirSync(dir).filter(
      (name) => statSync(join(dir, name)).isFile() && readFileSync(join(dir, name), "latin1").includes(SECRET),
    );
    expect(holding).toEqual(["secrets.json"]);
    expect(statSync(join(dir, "secrets.json")).mode & 0o777).toBe(0o600);
  });

  it("reads secrets of the environment, and refuses what it cannot keep", () => {
    const create = (...flags: string[]): string =>
      store.run(["create", ...flags, join(store.folder, "send.wasm")], { env: { TOKEN: "t" } }).stderr;
    const allow = ["--allow-host", "api.example.com"];
    expect(create(...allow, "--secret", "KEY=env:TOKEN")).toBe("");
    expect(create(...allow, "--secret", "KEY=env:NO_SUCH_TOKEN")).toMatch(/NO_SUCH_TOKEN of secret KEY is not set/);
    expect(create(...allow, "--secret", "KEY=plain")).toMatch(/invalid source of secret KEY/);
    expect(create("--secret", "KEY=env:TOKEN")).toMatch(/needs hosts/);
    expect(create("--allow-host", "*")).toMatch(/invalid host to allow/);
    expect(create("--network", "none", ...allow)).toMatch(/without a network/);
    const onLinux = store.run(["create", ...allow, "host", "true"]);
    expect(onLinux).toMatchObject({ code: 1 });
    expect(onLinux.stderr).toMatch(/--allow-host/);
  });
});
