// Between node:http's messages and ours: header lists and bodies.
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { HttpFailure, type HttpBody, type HttpHeaders } from "../http/exchange.ts";

/** rawHeaders (name, value, name, value …) as pairs. */
export function headerPairs(raw: readonly string[]): HttpHeaders {
  const pairs: [string, Uint8Array][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2)
    pairs.push([raw[at]!.toLowerCase(), Buffer.from(raw[at + 1]!, "latin1")]);
  return pairs;
}

/** Pairs as node:http takes them: values of one name together. */
export function outgoingHeaders(headers: HttpHeaders): OutgoingHttpHeaders {
  const out: Record<string, string[]> = {};
  for (const [name, value] of headers) (out[name.toLowerCase()] ??= []).push(Buffer.from(value).toString("latin1"));
  return Object.fromEntries(
    Object.entries(out).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

/** What is read from a connection; its trailers are known at the end. */
export function incomingBody(message: IncomingMessage): HttpBody {
  let settle: (trailers: HttpHeaders | undefined) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const trailers = new Promise<HttpHeaders | undefined>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  trailers.catch(() => undefined);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of message as AsyncIterable<Uint8Array>) yield chunk;
      settle(message.rawTrailers.length === 0 ? undefined : headerPairs(message.rawTrailers));
    } catch (error) {
      const failure = error instanceof HttpFailure ? error : new HttpFailure("connection-terminated", String(error));
      fail(failure);
      throw failure;
    }
  }
  return { chunks: chunks(), trailers };
}
