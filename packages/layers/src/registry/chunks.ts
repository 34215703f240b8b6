// An upload in parts: each part is held in memory until the registry has it, so a broken connection asks how far it came and sends
// the rest (distribution-spec "Pushing a blob in chunks").
import { LapError } from "@lapstrake/base";
import { protocolError } from "./errors.ts";
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from "./limits.ts";
import { checkLocation } from "./redirect.ts";
import { withRetry } from "./retry.ts";
import { repositoryScope } from "./scope.ts";
import { uploadName, type UploadSession } from "./session.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

interface Progress {
  readonly location: string;
  /** Bytes the registry has. */
  readonly size: number;
}

function partSize(chunkBytes: number, session: UploadSession): number {
  const size = Math.max(chunkBytes, session.minChunkBytes);
  if (Number.isSafeInteger(size) && size >= MIN_CHUNK_BYTES && size <= MAX_CHUNK_BYTES) return size;
  throw new LapError("invalidArgument", "ERR_LAP_CHUNK_SIZE", `invalid chunk size ${size}`, {
    hint: `a chunk has ${MIN_CHUNK_BYTES} to ${MAX_CHUNK_BYTES} bytes`,
  });
}

/** A stream cut into parts of exactly `size` bytes, the last one shorter. */
export async function* parts(
  content: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let part = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + size - filled);
      part.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < size) continue;
      yield part;
      part = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

/** Sends all of `content`; the session's last location and the bytes sent come back, the closing PUT is the caller's. */
export async function patchParts(
  transport: Transport,
  repository: Repository,
  session: UploadSession,
  content: AsyncIterable<Uint8Array>,
  { chunkBytes, signal }: CallOptions & { readonly chunkBytes: number },
): Promise<Progress> {
  let progress: Progress = { location: session.location, size: 0 };
  for await (const part of parts(content, partSize(chunkBytes, session))) {
    progress = await sendPart(transport, repository, progress, part, signal);
  }
  return progress;
}

async function sendPart(
  transport: Transport,
  repository: Repository,
  start: Progress,
  part: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Progress> {
  const end = start.size + part.length;
  let known: Progress | undefined = start;
  return withRetry(transport.options.clock, transport.retry, signal, async () => {
    let at: Progress = known ?? (await uploadStatus(transport, repository, start.location, signal));
    known = undefined;
    if (at.size < start.size || at.size > end) throw lostPart(repository);
    while (at.size < end) at = await patch(transport, repository, at, part.subarray(at.size - start.size), signal);
    return at;
  });
}

function lostPart(repository: Repository): LapError {
  return protocolError(`${uploadName(repository, "a blob")}: the registry lost a part`);
}

/** Sends bytes; the registry may say that it took only the first of them, but not none. */
async function patch(
  transport: Transport,
  repository: Repository,
  from: Progress,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Progress> {
  const size = from.size + bytes.length;
  const answer = await transport.sendOnly(repository.endpoint, {
    method: "PATCH",
    path: from.location,
    what: uploadName(repository, "a blob"),
    scopes: [repositoryScope(repository, "push")],
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(bytes.length),
      "content-range": `${from.size}-${size - 1}`,
    },
    body: () => bytes,
    accept: [202],
    attempts: 1,
    signal,
  });
  const has = rangeEnd(answer.headers["range"]) ?? size;
  if (has <= from.size || has > size) throw lostPart(repository);
  return { location: checkLocation(answer.url, answer.headers["location"] ?? from.location), size: has };
}

/** Bytes of a `Range: 0-N` header, N inclusive. `0-0` is what registries say for none; parts are never one byte long. */
function rangeEnd(header: string | undefined): number | undefined {
  const end = /^(?:bytes=)?0-([0-9]{1,15})$/.exec(header ?? "")?.[1];
  if (end === undefined) return undefined;
  return end === "0" ? 0 : Number(end) + 1;
}

async function uploadStatus(
  transport: Transport,
  repository: Repository,
  location: string,
  signal: AbortSignal | undefined,
): Promise<Progress> {
  const answer = await transport.sendOnly(repository.endpoint, {
    method: "GET",
    path: location,
    what: uploadName(repository, "a blob"),
    scopes: [repositoryScope(repository, "push")],
    accept: [200, 204],
    signal,
  });
  return {
    location: checkLocation(answer.url, answer.headers["location"] ?? location),
    size: rangeEnd(answer.headers["range"]) ?? 0,
  };
}
