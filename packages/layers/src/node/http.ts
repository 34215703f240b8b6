// The HTTP port over node:http and node:https: bounded in time at every step, so that no server can make a caller wait for ever.
//   connect ──> headers ──> body, chunk by chunk; each silence, a lasting drip, and the whole are limited.
import http from "node:http";
import https from "node:https";
import { Readable } from "node:stream";
import type { HttpPort, HttpRequest, HttpResponse, HttpTls } from "@lapstrake/base";
import { httpError, timeoutError } from "./http-errors.ts";
import { watch } from "./http-watch.ts";

/** Bounds of one request, ms and bytes. */
export interface HttpTimeouts {
  /** Until the connection, with TLS, stands. */
  readonly connectMs: number;
  /** From the request's last byte to the response's headers. */
  readonly headersMs: number;
  /** Longest silence while a body travels, either way. */
  readonly idleMs: number;
  /** The whole request with its body. */
  readonly totalMs: number;
  /** A body slower than this, over `idleMs`, is given up. */
  readonly minBytesPerSecond: number;
}

/** Patient with slow links, not with silence. */
export const HTTP_TIMEOUTS: HttpTimeouts = {
  connectMs: 15_000,
  headersMs: 60_000,
  idleMs: 30_000,
  totalMs: 6 * 60 * 60 * 1000,
  minBytesPerSecond: 64,
};

const MAX_SOCKETS_PER_HOST = 8;
/** Bytes of an answer's rest that are read to keep the connection; a longer rest costs the connection. */
const MAX_HEADER_BYTES: number = 64 * 1024;

/** An HTTP client of Node; dispose it to close its idle connections. */
export function nodeHttp(timeouts: Partial<HttpTimeouts> = {}): HttpPort & Disposable {
  return new NodeHttp({ ...HTTP_TIMEOUTS, ...timeouts });
}

class NodeHttp implements HttpPort, Disposable {
  readonly #timeouts: HttpTimeouts;
  readonly #plain: http.Agent = new http.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST });
  readonly #secure = new Map<HttpTls | undefined, https.Agent>();

  constructor(timeouts: HttpTimeouts) {
    this.#timeouts = timeouts;
  }

  request(url: string, request: HttpRequest): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      request.signal?.throwIfAborted();
      const outgoing = this.#open(new URL(url), request);
      const guard = watch(outgoing, this.#timeouts, request.signal);
      outgoing.once("response", (incoming) => {
        guard.responded();
        resolve({
          status: incoming.statusCode ?? 0,
          headers: plainHeaders(incoming.headers),
          body: readBody(incoming, guard, request.signal),
        });
      });
      outgoing.once("error", (error) => {
        guard.end();
        reject(guard.reason() ?? httpError(error, new URL(url).host));
      });
      sendBody(outgoing, request.body, guard);
    });
  }

  #open(url: URL, { method, headers, tls }: HttpRequest): http.ClientRequest {
    const common = { method, headers, maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false };
    if (url.protocol === "http:") return http.request(url, { ...common, agent: this.#plain });
    return https.request(url, { ...common, agent: this.#agent(tls) });
  }

  /** Connections are shared only among requests of the same TLS material. */
  #agent(tls: HttpTls | undefined): https.Agent {
    const known = this.#secure.get(tls);
    if (known !== undefined) return known;
    const agent = new https.Agent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST, ...tlsOptions(tls) });
    this.#secure.set(tls, agent);
    return agent;
  }

  [Symbol.dispose](): void {
    this.#plain.destroy();
    for (const agent of this.#secure.values()) agent.destroy();
  }
}
