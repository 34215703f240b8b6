// Bodies of responses: read whole within a bound, dropped, or passed on while their size and digest are checked.
import {
  LapError,
  digestAlgorithm,
  digestHex,
  type Descriptor,
  type HashPort,
  type HttpResponse,
} from "@lapstrake/base";
import { concat } from "./concat.ts";
import { protocolError } from "./errors.ts";

/** Ends a body that nobody wants, so that its connection is free. */
export async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}

/** The Content-Length, or undefined when absent or not a plain number. */
export function contentLength(response: HttpResponse): number | undefined {
  const text = response.headers["content-length"];
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A whole body of at most `maxBytes`; a larger one fails with `ERR_LAP_REGISTRY_TOO_LARGE` before it is read. */
export async function readBounded(response: HttpResponse, maxBytes: number, what: string): Promise<Uint8Array> {
  if ((contentLength(response) ?? 0) > maxBytes) {
    await discard(response.body);
    throw tooLarge(what, maxBytes);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(what, maxBytes);
    chunks.push(chunk);
  }
  return concat(chunks, length);
}

function tooLarge(what: string, maxBytes: number): LapError {
  return new LapError("resourceExhausted", "ERR_LAP_REGISTRY_TOO_LARGE", `${what} is larger than ${maxBytes} bytes`, {
    detail: { maxBytes },
  });
}

/** The error for bytes that are not what their descriptor says. */
export function contentError(descriptor: Descriptor, why: string): LapError {
  return new LapError("dataLoss", "ERR_LAP_DIGEST_MISMATCH", `blob ${descriptor.digest}: ${why}`, {
    hint: "the source sent wrong bytes; nothing of them was kept",
    detail: { digest: descriptor.digest, size: descriptor.size },
  });
}

/** Passes a stream on and throws at the first byte too many, and at its end when size or digest differ. */
export async function* verified(
  hash: HashPort,
  descriptor: Descriptor,
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hasher = hash.create(hashName(descriptor));
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > descriptor.size) throw contentError(descriptor, `more than ${descriptor.size} bytes`);
    hasher.update(chunk);
    yield chunk;
  }
  if (length !== descriptor.size) throw contentError(descriptor, `${length} bytes instead of ${descriptor.size}`);
  if (hasher.hex() !== digestHex(descriptor.digest)) throw contentError(descriptor, "the digest differs");
}

/** Checks whole content against its descriptor; throws `ERR_LAP_DIGEST_MISMATCH`. */
export function verifyBytes(hash: HashPort, descriptor: Descriptor, bytes: Uint8Array): void {
  if (bytes.length !== descriptor.size) {
    throw contentError(descriptor, `${bytes.length} bytes instead of ${descriptor.size}`);
  }
  if (hash.digest(hashName(descriptor), bytes) !== descriptor.digest)
    throw contentError(descriptor, "the digest differs");
}

/** The hash algorithm of a descriptor's digest. */
function hashName({ digest }: Pick<Descriptor, "digest">): "sha256" | "sha512" {
  const name = digestAlgorithm(digest);
  if (name === "sha256" || name === "sha512") return name;
  throw protocolError(`digest algorithm "${name}" is not supported`);
}
