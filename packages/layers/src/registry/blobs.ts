// Blobs of a repository, read (distribution-spec "Pulling blobs"): verified as they pass, resumed by Range where a connection broke.
import type { Descriptor } from "@lapstrake/base";
import { contentError, contentLength, discard, verified } from "./body.ts";
import { protocolError } from "./errors.ts";
import { MAX_RESUMES } from "./limits.ts";
import { backoff, isTransient } from "./retry.ts";
import { repositoryScope } from "./scope.ts";
import type { Answer, Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

function pathOf(repository: Repository, digest: string): string {
  return `/v2/${repository.path}/blobs/${digest}`;
}

/** The content of a blob, in order and complete, or an error: size and digest are checked at the end (`ERR_LAP_DIGEST_MISMATCH`). */
export function readBlob(
  transport: Transport,
  repository: Repository,
  descriptor: Descriptor,
  options: CallOptions = {},
): AsyncIterable<Uint8Array> {
  return verified(transport.options.hash, descriptor, resumed(transport, repository, descriptor, options));
}

/** Parts of the blob until all of it was there; a part that brought bytes renews the tries. */
async function* resumed(
  transport: Transport,
  repository: Repository,
  descriptor: Descriptor,
  { signal }: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  let fruitless = 0;
  for (let part = 0; ; part++) {
    const before = offset;
    try {
      for await (const chunk of onePart(transport, repository, descriptor, offset, signal)) {
        offset += chunk.length;
        yield chunk;
      }
      if (offset >= descriptor.size) return;
      throw cutError(descriptor, offset);
    } catch (error) {
      signal?.throwIfAborted();
      fruitless = offset > before ? 1 : fruitless + 1;
      const isOver = fruitless >= transport.retry.attempts || part >= MAX_RESUMES;
      if (isOver || !(isTransient(error) || error instanceof CutShort)) throw causeOf(error);
      transport.options.logger?.debug(`resuming ${descriptor.digest}`, { offset });
      const asked = error instanceof CutShort ? undefined : error;
      await backoff(transport.options.clock, transport.retry, fruitless, asked, signal);
    }
  }
}

/** A body that ended early although nothing broke. */
class CutShort extends Error {
  readonly error: Error;
  constructor(error: Error) {
    super(error.message);
    this.error = error;
  }
}

function cutError(descriptor: Descriptor, offset: number): CutShort {
  return new CutShort(contentError(descriptor, `it ends after ${offset} of ${descriptor.size} bytes`));
}

function causeOf(error: unknown): unknown {
  return error instanceof CutShort ? error.error : error;
}

async function* onePart(
  transport: Transport,
  repository: Repository,
  descriptor: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const answer = await transport.send(repository.endpoint, {
    method: "GET",
    path: pathOf(repository, descriptor.digest),
    what: `blob ${descriptor.digest} of "${repository.endpoint.domain}/${repository.path}"`,
    scopes: [repositoryScope(repository, "pull")],
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    accept: offset === 0 ? [200] : [200, 206],
    signal,
  });
  let skip = await checkPart(answer, descriptor, offset);
  for await (const chunk of answer.body) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

/** Bytes to skip: a server without ranges starts over. Throws when the headers already contradict the descriptor. */
async function checkPart(answer: Answer, descriptor: Descriptor, offset: number): Promise<number> {
  const isPartial = answer.status === 206;
  const announced = contentLength(answer);
  const expected = isPartial ? descriptor.size - offset : descriptor.size;
  const start = /^bytes ([0-9]+)-/.exec(answer.headers["content-range"] ?? "")?.[1];
  const isWrong = announced !== undefined && announced !== expected;
  const isElsewhere = isPartial && Number(start) !== offset;
  if (!isWrong && !isElsewhere) return isPartial ? 0 : offset;
  await discard(answer.body);
  if (isWrong) throw contentError(descriptor, `the server announces ${announced} bytes instead of ${expected}`);
  throw protocolError(`blob ${descriptor.digest}: the server answers with another range`);
}

/** Whether the repository has the blob. */
export async function hasBlob(
  transport: Transport,
  repository: Repository,
  digest: string,
  { signal }: CallOptions = {},
): Promise<boolean> {
  const answer = await transport.sendOnly(repository.endpoint, {
    method: "HEAD",
    path: pathOf(repository, digest),
    what: `blob ${digest} of "${repository.endpoint.domain}/${repository.path}"`,
    scopes: [repositoryScope(repository, "pull")],
    accept: [200, 404],
    signal,
  });
  return answer.status === 200;
}

/** Deletes a blob; false when it did not exist. */
export async function deleteBlob(
  transport: Transport,
  repository: Repository,
  digest: string,
  { signal }: CallOptions = {},
): Promise<boolean> {
  const answer = await transport.sendOnly(repository.endpoint, {
    method: "DELETE",
    path: pathOf(repository, digest),
    what: `delete blob ${digest} of "${repository.endpoint.domain}/${repository.path}"`,
    scopes: [repositoryScope(repository, "delete")],
    accept: [200, 202, 404],
    signal,
  });
  return answer.status !== 404;
}
