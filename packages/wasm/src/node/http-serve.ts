// A component's request handler on a port of this machine: what a published port of an http component is.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpRequest, HttpResponse } from "../http/exchange.ts";
import { headerPairs, incomingBody, outgoingHeaders } from "./http-messages.ts";

/** What answers requests. */
export interface HttpHandler {
  handle(request: HttpRequest): Promise<HttpResponse>;
}

/** A listening server; disposing it closes its connections. */
export interface HttpServer extends AsyncDisposable {
  readonly port: number;
}

/** Serves `handler`; `port` 0 takes a free one. A handler that fails answers 500, and `onError` hears why. */
export async function serveHttp(
  handler: HttpHandler,
  listen: { readonly host: string; readonly port: number },
  onError: (error: unknown) => void,
): Promise<HttpServer> {
  const server = createServer((incoming, outgoing) => {
    void answer(handler, incoming, outgoing).catch((error: unknown) => {
      onError(error);
      if (!outgoing.headersSent) outgoing.writeHead(500);
      // Half an answer must not look whole.
      else outgoing.destroy();
      outgoing.end();
    });
  });
  await listening(server, listen);
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
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
