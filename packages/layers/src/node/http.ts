// The HTTP port over node:http and node:https, bounded in time at every step, so that no server makes a caller wait for ever:
//   connect ──> send ──> headers ──> body, chunk by chunk; silence, a lasting drip and the whole are limited.
import http from "node:http";
import https from "node:https";
import { getCACertificates } from "node:tls";
import type { HttpPort, HttpRequest, HttpResponse, HttpTls } from "@lapstrake/base";
import { isLoopback } from "../registry/hosts.ts";
import { ResponseBody, sendBody } from "./http-body.ts";
import { httpError } from "./http-errors.ts";
import { Guard } from "./http-guard.ts";

/** Bounds of one request. */
export interface HttpTimeouts {
  /** Until the connection, with TLS, stands, ms. */
  readonly connectMs: number;
  /** From the request's last byte to the response's headers, ms. */
  readonly headersMs: number;
  /** Longest silence while a body travels, either way, ms; and the window of `minBytesPerSecond`. */
  readonly idleMs: number;
  /** The whole request with its body, ms. */
  readonly totalMs: number;
  /** A body that is slower than this while somebody waits for it is given up. */
  readonly minBytesPerSecond: number;
}

/** Patient with slow links, not with silence. */
export const HTTP_TIMEOUTS: HttpTimeouts = {
  connectMs: 15_000,
  headersMs: 120_000,
  idleMs: 30_000,
  totalMs: 6 * 60 * 60 * 1000,
  minBytesPerSecond: 64,
};

const MAX_SOCKETS_PER_HOST = 8;
const MAX_HEADER_BYTES: number = 64 * 1024;
const SLICE_BYTES: number = 256 * 1024;

/** Variables that name proxies, as curl and Node read them (Node from 22.21 and 24.5). */
export type ProxyEnv = Readonly<Record<string, string | undefined>>;

/**
 * An HTTP client of Node; dispose it to close its idle connections. Proxies are those of `env` (HTTPS_PROXY, HTTP_PROXY, NO_PROXY);
 * this machine itself is never asked for through one.
 */
export function nodeHttp(timeouts: Partial<HttpTimeouts> = {}, env: ProxyEnv = {}): HttpPort & Disposable {
  return new NodeHttp({ ...HTTP_TIMEOUTS, ...timeouts }, env);
}

class NodeHttp implements HttpPort, Disposable {
  readonly #timeouts: HttpTimeouts;
  readonly #direct: Agents;
  readonly #proxied: Agents;

  constructor(timeouts: HttpTimeouts, env: ProxyEnv) {
    this.#timeouts = timeouts;
    this.#direct = new Agents({});
    this.#proxied = hasProxy(env) ? new Agents({ proxyEnv: { ...env } }) : this.#direct;
  }

  async request(url: string, request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const { host } = new URL(url);
    const outgoing = this.#open(new URL(url), request);
    const guard = new Guard(host, this.#timeouts, request.signal, (reason) => outgoing.destroy(reason));
    watchSteps(outgoing, guard);
    outgoing.once("response", (incoming) => {
      guard.answered();
      const body = new ResponseBody(outgoing, incoming, guard, host);
      resolve({ status: incoming.statusCode ?? 0, headers: plainHeaders(incoming.headers), body });
    });
    outgoing.on("error", (error) => {
      guard.end();
      reject(guard.reason ?? httpError(error, host));
    });
    void send(outgoing, request.body, guard);
    return await promise;
  }

  #open(url: URL, { method, headers, tls }: HttpRequest): http.ClientRequest {
    const common = { method, headers, maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false };
    const agents = isLoopback(url.host) ? this.#direct : this.#proxied;
    if (url.protocol === "http:") return http.request(url, { ...common, agent: agents.plain });
    return https.request(url, { ...common, agent: agents.secure(tls) });
  }

  [Symbol.dispose](): void {
    for (const agents of [this.#direct, this.#proxied]) agents.destroy();
  }
}

function hasProxy(env: ProxyEnv): boolean {
  return ["http_proxy", "https_proxy"].some((name) => (env[name] ?? env[name.toUpperCase()] ?? "") !== "");
}

/** Connections that wait for their next request, shared only among requests of the same TLS material. */
class Agents {
  readonly plain: http.Agent;
  readonly #options: http.AgentOptions;
  readonly #secure = new Map<HttpTls | undefined, https.Agent>();

  constructor(options: http.AgentOptions) {
    this.#options = { keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST, ...options };
    this.plain = new http.Agent(this.#options);
  }

  secure(tls: HttpTls | undefined): https.Agent {
    const known = this.#secure.get(tls);
    if (known !== undefined) return known;
    const agent = new https.Agent({ ...this.#options, ...tlsOptions(tls) });
    this.#secure.set(tls, agent);
    return agent;
  }

  destroy(): void {
    this.plain.destroy();
    for (const agent of this.#secure.values()) agent.destroy();
  }
}

/** Given authorities stand beside the system's, never instead of them. */
function tlsOptions(tls: HttpTls | undefined): https.AgentOptions {
  const ca = tls?.ca ?? [];
  return {
    minVersion: "TLSv1.2",
    ...(ca.length === 0 ? {} : { ca: [...getCACertificates("default"), ...ca] }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(tls?.skipVerify === true ? { rejectUnauthorized: false } : {}),
  };
}

function watchSteps(outgoing: http.ClientRequest, guard: Guard): void {
  outgoing.once("socket", (socket) => {
    if (!socket.connecting) return;
    guard.step("connecting", guard.timeouts.connectMs);
    socket.once("encrypted" in socket ? "secureConnect" : "connect", () => guard.rest());
  });
  outgoing.once("finish", () => {
    if (!guard.isAnswered) guard.step("waiting for an answer", guard.timeouts.headersMs);
  });
}

async function send(outgoing: http.ClientRequest, body: HttpRequest["body"], guard: Guard): Promise<void> {
  if (body === undefined) outgoing.end();
  else if (!(body instanceof Uint8Array)) await sendBody(outgoing, body, guard);
  else if (body.length <= SLICE_BYTES) outgoing.end(body);
  else await sendBody(outgoing, slices(body), guard);
}

/** Large bytes in pieces, so that a server that stops reading is noticed. */
function* slices(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
}

function plainHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) out[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return out;
}
