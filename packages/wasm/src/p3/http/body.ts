// Bodies of 0.3: a stream and a future of trailers, from the guest to the world and back.
import { HttpFailure, internalFailure, type HttpBody, type HttpHeaders } from "../../http/exchange.ts";
import type { GuestStream, Outcome } from "../streams.ts";
import { Fields } from "../../http/fields.ts";

/** error-code of wasi:http. */
export interface HttpErrorCode {
  readonly tag: string;
  readonly val?: unknown;
}

type Trailers = Outcome3<Fields | undefined>;
type Outcome3<T> = { readonly tag: "ok"; readonly val: T } | { readonly tag: "err"; readonly val: HttpErrorCode };

/** What a guest gives as the content of a message. */
export interface GuestContent {
  readonly stream: GuestStream | undefined;
  readonly trailers: PromiseLike<Trailers>;
}

/** What a guest reads as the content of a message. */
export type ReadContent = [stream: AsyncIterable<Uint8Array> | Iterable<never>, trailers: Promise<Trailers>];

const CHUNK = 65_536;

/** The code of what failed. */
export function errorCodeOf(error: unknown): HttpErrorCode {
  const failure =
    error instanceof HttpFailure ? error : internalFailure(error instanceof Error ? error.message : "failed");
  return { tag: failure.tag, val: failure.val };
}

/** A guest's content as a body; `sent` hears how the sending ended. */
export function bodyOf(content: GuestContent, sent: (outcome: Outcome<HttpErrorCode>) => void): HttpBody {
  let settle: (trailers: HttpHeaders | undefined) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const trailers = new Promise<HttpHeaders | undefined>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  // Whoever does not ask for trailers must not be surprised by their failure.
  trailers.catch(() => undefined);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      if (content.stream !== undefined) yield* readAll(content.stream);
      const end = await content.trailers;
      if (end.tag === "err") throw new HttpFailure(end.val.tag, "the guest broke off the body", end.val.val);
      settle(end.val?.list);
      sent({ tag: "ok", val: undefined });
    } catch (error) {
      fail(error);
      sent({ tag: "err", val: errorCodeOf(error) });
      throw error;
    }
  }
  return { chunks: chunks(), trailers };
}

async function* readAll(stream: GuestStream): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { done, value } = await stream.read({ count: CHUNK });
    if (value !== undefined) yield typeof value === "number" ? Uint8Array.of(value) : Uint8Array.from(value);
    if (done) return;
  }
}

/** A body as content for a guest. */
export function contentOf(body: HttpBody | undefined): ReadContent {
  if (body === undefined) return [[], Promise.resolve({ tag: "ok", val: undefined })];
  return [watched(body), trailersOf(body)];
}

async function trailersOf(body: HttpBody): Promise<Trailers> {
  try {
    const trailers = await body.trailers;
    return { tag: "ok", val: trailers === undefined ? undefined : Fields.received(trailers) };
  } catch (error) {
    return { tag: "err", val: errorCodeOf(error) };
  }
}

/** A stream cannot fail: it ends, and the trailers say why. */
async function* watched({ chunks }: HttpBody): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next().catch(() => ({ done: true, value: undefined }) as const);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
