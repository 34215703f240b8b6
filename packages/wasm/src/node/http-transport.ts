// Requests of guests over node:http and node:https. A name is resolved once, its addresses are checked, and one of those is
// connected: a second answer of the name server (DNS rebinding) changes nothing.
import { lookup, type LookupAddress, type LookupAllOptions } from "node:dns";
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { errorCode } from "@lapstrake/base";
import { isPublicAddress } from "../http/addresses.ts";
import {
  HttpFailure,
  internalFailure,
  type HttpBody,
  type HttpRequest,
  type HttpResponse,
  type HttpTimeouts,
} from "../http/exchange.ts";
import { splitAuthority, type HttpTransport } from "../http/policy.ts";
import { headerPairs, incomingBody, outgoingHeaders } from "./http-messages.ts";

/** Sends requests from this machine. */
export const nodeTransport: HttpTransport = async (request, timeouts, privateAddresses) => {
  const { host, port } = splitAuthority(request.authority, request.scheme);
  if (isIP(host) !== 0) checkAddress(host, privateAddresses);
  const make = request.scheme === "https" ? httpsRequest : httpRequest;
  return exchange(make, request, timeouts, {
    host,
    port,
    method: request.method,
    path: request.pathWithQuery,
    headers: { host: request.authority, ...outgoingHeaders(request.headers) },
    lookup: (name, options, done) => checkedLookup(name, options as LookupAllOptions, privateAddresses, done),
    setDefaultHeaders: false,
    agent: false,
    insecureHTTPParser: false,
  });
};

function checkAddress(address: string, privateAddresses: boolean): void {
  if (privateAddresses || isPublicAddress(address)) return;
  throw new HttpFailure("destination-IP-prohibited", `the policy does not allow the address ${address}`);
}

type LookupDone = Parameters<NonNullable<RequestOptions["lookup"]>>[2];

function checkedLookup(name: string, options: LookupAllOptions, privateAddresses: boolean, done: LookupDone): void {
  lookup(name, { ...options, all: true }, (error, addresses) => {
    const allowed = (addresses ?? []).filter(({ address }) => privateAddresses || isPublicAddress(address));
    const first: LookupAddress | undefined = allowed[0];
    if (error !== null) done(error, "", 0);
    else if (first === undefined) done(prohibited(name), "", 0);
    else if (options.all === true) done(null, allowed);
    else done(null, first.address, first.family);
  });
}

function prohibited(name: string): Error {
  return new HttpFailure("destination-IP-prohibited", `"${name}" has no address that the policy allows`);
}

async function exchange(
  make: typeof httpRequest,
  request: HttpRequest,
  timeouts: HttpTimeouts,
  options: RequestOptions,
): Promise<HttpResponse> {
  const outgoing = make(options);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.on("error", (error) => reject(failureOf(error)));
  });
  answered.catch(() => undefined);
  if (timeouts.connectMs !== undefined) deadline(outgoing, timeouts.connectMs, "connection-timeout", "connect");
  if (timeouts.firstByteMs !== undefined) deadline(outgoing, timeouts.firstByteMs, "HTTP-response-timeout", "response");
  try {
    await Promise.race([sendBody(outgoing, request.body), answered]);
  } catch (error) {
    outgoing.destroy();
    throw error instanceof HttpFailure ? error : failureOf(error);
  }
  const response = await answered;
  if (timeouts.betweenBytesMs !== undefined) {
    response.setTimeout(timeouts.betweenBytesMs, () =>
      response.destroy(new HttpFailure("connection-read-timeout", "no bytes in time")),
    );
  }
  return { status: response.statusCode ?? 0, headers: headerPairs(response.rawHeaders), body: incomingBody(response) };
}

type ClientRequest = ReturnType<typeof httpRequest>;

function deadline(outgoing: ClientRequest, ms: number, tag: string, until: "connect" | "response"): void {
  const timer = setTimeout(() => outgoing.destroy(new HttpFailure(tag, `no ${until} within ${ms} ms`)), ms);
  const clear = (): void => clearTimeout(timer);
  if (until === "connect") outgoing.once("socket", (socket) => socket.once("connect", clear));
  outgoing.once(until === "connect" ? "close" : "response", clear);
  outgoing.once("close", clear);
}

/** Bodies without a length are chunked, and only those can have trailers. */
async function sendBody(outgoing: ClientRequest, body: HttpBody | undefined): Promise<void> {
  if (body !== undefined) {
    if (!outgoing.hasHeader("content-length")) outgoing.setHeader("transfer-encoding", "chunked");
    outgoing.flushHeaders();
    for await (const chunk of body.chunks) await write(outgoing, chunk);
    const trailers = await body.trailers;
    if (trailers !== undefined)
      outgoing.addTrailers(
        trailers.map(([name, value]): [string, string] => [name, Buffer.from(value).toString("latin1")]),
      );
  }
  outgoing.end();
}

function write(outgoing: ClientRequest, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.write(chunk, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(failureOf(error));
    });
  });
}

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-terminated",
  EPIPE: "connection-terminated",
  ETIMEDOUT: "connection-timeout",
  EHOSTUNREACH: "destination-unavailable",
  ENETUNREACH: "destination-IP-unroutable",
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: "HTTP-request-body-size",
};

/** The failure that an error of Node stands for. */
function failureOf(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const code = errorCode(error) ?? "";
  const message = error instanceof Error ? error.message : "the exchange failed";
  if (/^(?:ENOTFOUND|EAI_)/.test(code)) {
    return new HttpFailure("DNS-error", message, {
      rcode: code === "ENOTFOUND" ? "NXDOMAIN" : code,
      infoCode: undefined,
    });
  }
  if (/CERT|TLS|SSL/.test(code)) return new HttpFailure("TLS-certificate-error", message);
  if (code.startsWith("HPE_")) return new HttpFailure("HTTP-protocol-error", message);
  const tag = CODES[code];
  return tag === undefined ? internalFailure(message) : new HttpFailure(tag, message);
}
