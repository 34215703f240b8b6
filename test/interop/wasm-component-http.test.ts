// The official 0.3 programs of wasi:http (WebAssembly/wasi-testsuite, branch prod/testsuite-base), over loopback and through the
// policy. LAPSTRAKE_WASI_TESTSUITE names a checkout.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnionFs } from "@lapstrake/layers";
import { chunkOutput, policySend, type HttpPolicy } from "@lapstrake/wasm";
import { openHttpComponent, runComponent, type ComponentRun } from "@lapstrake/wasm/component";
import { nodeTransport, serveHttp } from "@lapstrake/wasm/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = process.env["LAPSTRAKE_WASI_TESTSUITE"] ?? "";
const FOLDER = join(ROOT, "tests/rust/testsuite/wasm32-wasip3");
const PROGRAMS = ROOT === "" || !existsSync(FOLDER) ? [] : programs();

interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly mode?: "echo-headers" | "echo-body";
  readonly response?: {
    readonly status: number;
    readonly body?: string;
    readonly chunks?: readonly string[];
    readonly trailers?: Readonly<Record<string, string>>;
  };
}

interface PeerServer {
  readonly name: string;
  readonly kind?: "closed";
  readonly endpoints?: readonly Endpoint[];
}

interface RequestStep {
  readonly type: "request";
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly response: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
}

interface Specification {
  readonly world?: string;
  readonly servers?: readonly PeerServer[];
  readonly operations: readonly (RequestStep | { readonly type: "run" | "wait" | "kill" })[];
}

function programs(): string[] {
  return readdirSync(FOLDER).flatMap((name) => /^(http-.*)\.wasm$/.exec(name)?.[1] ?? []);
}

function specification(name: string): Specification {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8")) as Specification;
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of message as AsyncIterable<Buffer>) text += chunk.toString("latin1");
  return text;
}

/** The peer that the suite describes: fixed answers, and two kinds of echo. */
async function reply(
  endpoints: readonly Endpoint[],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await bodyOf(incoming);
  const endpoint = endpoints.find(({ method, path }) => method === incoming.method && path === incoming.url);
  if (endpoint?.mode === "echo-headers") {
    const echoed = Object.entries(incoming.headersDistinct).map(
      ([name, values]) => [`x-echo-${name}`, values ?? []] as const,
    );
    const trailers = Object.entries(incoming.trailers).map(
      ([name, value]) => [`x-trailer-${name}`, value ?? ""] as const,
    );
    const line = { "x-request-method": incoming.method!, "x-request-path": incoming.url! };
    outgoing.writeHead(200, { ...Object.fromEntries(echoed), ...Object.fromEntries(trailers), ...line }).end();
  } else if (endpoint?.mode === "echo-body") outgoing.end(body, "latin1");
  else if (endpoint?.response === undefined) outgoing.writeHead(404).end();
  else {
    const { status, body: text = "", chunks, trailers } = endpoint.response;
    outgoing.writeHead(status, trailers === undefined ? {} : { trailer: Object.keys(trailers).join(", ") });
    for (const chunk of chunks ?? []) outgoing.write(chunk);
    if (trailers !== undefined) outgoing.addTrailers(trailers);
    outgoing.end(text);
  }
}

interface Peers extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  readonly policy: HttpPolicy;
}

async function startPeers(servers: readonly PeerServer[]): Promise<Peers> {
  const running: Server[] = [];
  const ports: number[] = [];
  const env: Record<string, string> = {};
  for (const { name, kind, endpoints = [] } of servers) {
    const server = createServer((incoming, outgoing) => {
      reply(endpoints, incoming, outgoing).catch(() => outgoing.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    if (kind === "closed") server.close();
    else running.push(server);
    ports.push(port);
    env[`HTTP_SERVER_${name.toUpperCase()}`] = `127.0.0.1:${port}`;
  }
  return {
    env,
    policy: { allow: [{ host: "127.0.0.1", ports, privateAddresses: true }, { host: "nonexistent.invalid" }] },
    async [Symbol.asyncDispose]() {
      for (const server of running) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

function ask(port: number, step: RequestStep): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path, headers = {}, body } = step;
    const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (incoming) => {
      bodyOf(incoming).then(
        (text) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text }),
        reject,
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

describe.skipIf(PROGRAMS.length === 0)("wasi-testsuite 0.3 http (LAPSTRAKE_WASI_TESTSUITE)", () => {
  let cacheDir: string;
  beforeAll(() => {
    cacheDir = mkdtempSync(join(tmpdir(), "lap-p3-http-"));
  });
  afterAll(() => rmSync(cacheDir, { recursive: true }));

  it("has its 18 programs", () => {
    expect(PROGRAMS).toHaveLength(18);
  });

  function runOf(name: string, peers: Peers, take: (text: string) => void): ComponentRun {
    return {
      fs: UnionFs.create([]),
      component: new Uint8Array(readFileSync(join(FOLDER, `${name}.wasm`))),
      cacheDir,
      args: [name],
      env: peers.env,
      stderr: chunkOutput((chunk) => take(Buffer.from(chunk).toString("latin1"))),
      limits: { timeoutMs: 20_000 },
      http: policySend(peers.policy, nodeTransport),
    };
  }

  it.each(PROGRAMS)("%s", async (name) => {
    const { world, servers = [], operations } = specification(name);
    await using peers = await startPeers(servers);
    let stderr = "";
    const run = runOf(name, peers, (text) => (stderr += text));
    if (world === undefined) {
      const { exitCode } = await runComponent(run);
      expect(exitCode, stderr).toBe(0);
      return;
    }
    using component = await openHttpComponent(run);
    const errors: unknown[] = [];
    await using server = await serveHttp(component, { host: "127.0.0.1", port: 0 }, (error) => errors.push(error));
    for (const step of operations) {
      if (step.type !== "request") continue;
      const { status, headers, body } = await ask(server.port, step);
      expect(status, `${stderr}${errors.map((error) => (error as Error).message).join()}`).toBe(step.response.status);
      expect(headers).toMatchObject(step.response.headers ?? {});
      if (step.response.body !== undefined) expect(body).toBe(step.response.body);
    }
  });

  it("refuses what the policy does not allow", async () => {
    await using peers = await startPeers(specification("http-client").servers ?? []);
    let stderr = "";
    const run = {
      ...runOf("http-client", peers, (text) => (stderr += text)),
      http: policySend({ allow: [] }, nodeTransport),
    };
    using component = await openHttpComponent(run);
    await using server = await serveHttp(component, { host: "127.0.0.1", port: 0 }, () => undefined);
    const { status } = await ask(server.port, { type: "request", method: "GET", path: "/", response: { status: 500 } });
    expect([status, stderr]).toEqual([500, expect.stringContaining("HttpRequestDenied")]);
  });
});
