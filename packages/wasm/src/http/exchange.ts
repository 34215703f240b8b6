// HTTP messages between a component and the world, as plain values: what servers hand in and what transports take.

/** Name and value pairs in order; values are bytes. */
export type HttpHeaders = readonly (readonly [name: string, value: Uint8Array])[];

/** A body with the trailers after it; trailers settle when the body has ended, and reject when it was broken off. */
export interface HttpBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly trailers: Promise<HttpHeaders | undefined>;
}

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Host and port, without user. */
  readonly authority: string;
  /** Starts with "/" (or is "*"). */
  readonly pathWithQuery: string;
  readonly headers: HttpHeaders;
  readonly body: HttpBody | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: HttpBody | undefined;
}

/** Milliseconds; undefined is none. */
export interface HttpTimeouts {
  readonly connectMs?: number | undefined;
  readonly firstByteMs?: number | undefined;
  readonly betweenBytesMs?: number | undefined;
}

/** Sends a request for a guest. Rejects with an {@link HttpFailure}. */
export type HttpSend = (request: HttpRequest, timeouts: HttpTimeouts) => Promise<HttpResponse>;

/** A failed exchange, by the name wasi:http has for it (`error-code`). */
export class HttpFailure extends Error {
  readonly tag: string;
  /** The payload of the variant, undefined for most. */
  readonly val: unknown;

  constructor(tag: string, message: string, val?: unknown) {
    super(message);
    this.name = "HttpFailure";
    this.tag = tag;
    this.val = val;
  }
}

/** An exchange that failed for a reason of the guest's own or of ours. */
export function internalFailure(message: string): HttpFailure {
  return new HttpFailure("internal-error", message, message);
}
