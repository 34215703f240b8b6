// A component's request handler on a port of this machine: what a published port of an http component is.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpRequest, HttpResponse } from "../http/exchange.ts";
import { Interrupted, REASON } from "../run/interrupt.ts";
import { headerPairs, incomingBody, outgoingHeaders } from "./http-messages.ts";

/** What answers requests. */
export interface HttpHandler {
  handle(request: HttpRequest): Promise<HttpResponse>;
}

/** A listening server; disposing it closes its connections. */
export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  /** Takes no more requests and waits for the answers to those it has; false when they took longer than `graceMs`. */
  drain(graceMs: number): Promise<boolean>;
}

/** Serves `handler`; without `host` on all addresses, `port` 0 takes a free one. A handler that fails answers 500 (504 when its time was up), and `onError` hears why. */
export async function serveHttp(
  handler: HttpHandler,
  listen: { readonly host?: string; readonly port: number },
  onError: (error: unknown) => void,
): Promise<HttpServer> {
  const server = createServer((incoming, outgoing) => {
    void answer(handler, incoming, outgoing).catch((error: unknown) => {
      onError(error);
      if (!outgoing.headersSent) outgoing.writeHead(statusOf(error));
      // Half an answer must not look whole.
      else outgoing.destroy();
      outgoing.end();
    });
  });
  await listening(server, listen);
  const closed = new Promise<boolean>((resolve) => {
    server.once("close", () => resolve(true));
  });
  return {
    port: (server.address() as AddressInfo).port,
    drain(graceMs) {
      server.close();
      return Promise.race([closed, after(graceMs)]);
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function after(ms: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref();
  });
}

/** A guest whose time was up is a gateway that waits no longer. */
function statusOf(error: unknown): number {
  return error instanceof Interrupted && error.reason === REASON.timeout ? 504 : 500;
}

function listening(server: Server, listen: { readonly host?: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(listen, resolve);
  });
}

async function answer(handler: HttpHandler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const response = await handler.handle({
    method: incoming.method ?? "GET",
    scheme: "http",
    authority: incoming.headers.host ?? "localhost",
    pathWithQuery: incoming.url ?? "/",
    headers: headerPairs(incoming.rawHeaders).filter(([name]) => name !== "host"),
    body: incomingBody(incoming),
  });
  outgoing.writeHead(response.status, outgoingHeaders(response.headers));
  for await (const chunk of response.body?.chunks ?? []) {
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  const trailers = await response.body?.trailers;
  if (trailers !== undefined) outgoing.addTrailers(outgoingHeaders(trailers));
  outgoing.end();
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once("drain", resolve);
    outgoing.once("close", resolve);
  });
}
