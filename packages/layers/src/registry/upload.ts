// Blobs of a repository, written (distribution-spec "Pushing blobs"): a session is opened, or another repository's blob is mounted;
//   POST uploads/ ──201──> mounted
//        └───────202──> Location ── PUT ?digest (whole body)
//                              └─── PATCH, PATCH, … (parts) ── PUT ?digest
// Content is read anew for each try, so that a broken connection costs one part and never the upload.
import { LapError, isLapError, type Descriptor } from "@lapstrake/base";
import { verified } from "./body.ts";
import { patchParts } from "./chunks.ts";
import { checkLocation } from "./redirect.ts";
import { repositoryScope } from "./scope.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

/** How blobs travel. */
export interface UploadOptions extends CallOptions {
  /** Send in parts of this many bytes; default: whole, and in parts only when the registry refuses a body as too large. */
  readonly chunkBytes?: number | undefined;
}

/** An open upload. */
export interface UploadSession {
  /** Where the next request goes. */
  readonly location: string;
  /** Smallest part the registry takes, bytes. */
  readonly minChunkBytes: number;
}

/** For messages. */
export function uploadName(repository: Repository, what: string): string {
  return `upload ${what} to "${repository.endpoint.domain}/${repository.path}"`;
}

/** Asks for a session; with `from` and `digest`, first for a mount: undefined means that the blob is there now. */
export async function startUpload(
  transport: Transport,
  repository: Repository,
  { signal, mount }: CallOptions & { readonly mount?: { readonly digest: string; readonly from: string } },
): Promise<UploadSession | undefined> {
  const query =
    mount === undefined ? "" : `?${new URLSearchParams({ mount: mount.digest, from: mount.from }).toString()}`;
  const push = repositoryScope(repository, "push");
  const answer = await transport.sendOnly(repository.endpoint, {
    method: "POST",
    path: `/v2/${repository.path}/blobs/uploads/${query}`,
    what: uploadName(repository, mount === undefined ? "a blob" : mount.digest),
    scopes: mount === undefined ? [push] : [push, repositoryScope({ path: mount.from }, "pull")],
    headers: { "content-length": "0" },
    accept: mount === undefined ? [202] : [201, 202],
    signal,
  });
  if (answer.status === 201) return undefined;
  const minimum = Number(answer.headers["oci-chunk-min-length"] ?? 0);
  return {
    location: checkLocation(answer.url, answer.headers["location"]),
    minChunkBytes: Number.isSafeInteger(minimum) && minimum > 0 ? minimum : 0,
  };
}

/** Ends an upload that will not be finished; a registry that has forgotten it already is content. */
export async function cancelUpload(
  transport: Transport,
  repository: Repository,
  session: UploadSession,
): Promise<void> {
  try {
    await transport.sendOnly(repository.endpoint, {
      method: "DELETE",
      path: session.location,
      what: uploadName(repository, "a blob"),
      scopes: [repositoryScope(repository, "push")],
      accept: [200, 202, 204, 404, 405],
      attempts: 1,
    });
  } catch (error) {
    transport.options.logger?.debug("an upload was left to the registry", { cause: String(error) });
  }
}

function withDigest(location: string, digest: string): string {
  const url = new URL(location);
  url.searchParams.set("digest", digest);
  return url.href;
}

/** Closes a session whose parts are all there. */
export async function finishUpload(
  transport: Transport,
  repository: Repository,
  location: string,
  digest: string,
  { signal }: CallOptions,
): Promise<void> {
  await transport.sendOnly(repository.endpoint, {
    method: "PUT",
    path: withDigest(location, digest),
    what: uploadName(repository, digest),
    scopes: [repositoryScope(repository, "push")],
    headers: { "content-length": "0" },
    accept: [200, 201],
    signal,
  });
}

/** Uploads one blob whose content `open` gives, as often as asked; it is verified on its way out. */
export async function uploadBlob(
  transport: Transport,
  repository: Repository,
  descriptor: Descriptor,
  open: () => AsyncIterable<Uint8Array>,
  options: UploadOptions = {},
): Promise<void> {
  const session = await startUpload(transport, repository, options);
  if (session !== undefined) await fillUpload(transport, repository, session, descriptor, open, options);
}

/** Fills a session that is already open (the answer to a mount that was refused). */
export async function fillUpload(
  transport: Transport,
  repository: Repository,
  session: UploadSession,
  descriptor: Descriptor,
  open: () => AsyncIterable<Uint8Array>,
  options: UploadOptions,
): Promise<void> {
  const content = (): AsyncIterable<Uint8Array> => verified(transport.options.hash, descriptor, open());
  const { chunkBytes, signal } = options;
  if (chunkBytes !== undefined)
    return sendParts(transport, repository, session, descriptor, content(), chunkBytes, signal);
  try {
    await putWhole(transport, repository, session, descriptor, content, signal);
  } catch (error) {
    if (!isLapError(error) || error.code !== "ERR_LAP_REGISTRY_TOO_LARGE") throw error;
    const again = await startUpload(transport, repository, { signal });
    if (again === undefined) return;
    await sendParts(transport, repository, again, descriptor, content(), FALLBACK_CHUNK_BYTES, signal);
  }
}

const FALLBACK_CHUNK_BYTES: number = 8 * 1024 * 1024;

async function sendParts(
  transport: Transport,
  repository: Repository,
  session: UploadSession,
  { digest }: Descriptor,
  content: AsyncIterable<Uint8Array>,
  chunkBytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    const { location } = await patchParts(transport, repository, session, content, { chunkBytes, signal });
    await finishUpload(transport, repository, location, digest, { signal });
  } catch (error) {
    await cancelUpload(transport, repository, session);
    throw error;
  }
}

/** One PUT with everything. A session is spent by a failed try, so each try after the first opens its own. */
async function putWhole(
  transport: Transport,
  repository: Repository,
  session: UploadSession,
  { digest, size }: Descriptor,
  content: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await transport.sendOnly(repository.endpoint, {
    method: "PUT",
    path: withDigest(session.location, digest),
    what: uploadName(repository, digest),
    scopes: [repositoryScope(repository, "push")],
    headers: { "content-type": "application/octet-stream", "content-length": String(size) },
    body: content,
    accept: [200, 201],
    signal,
  });
}

/** Throws unless `chunkBytes` is a sensible size of parts. */
export function checkChunkBytes(chunkBytes: number, least: number, most: number): number {
  if (Number.isSafeInteger(chunkBytes) && chunkBytes >= least && chunkBytes <= most) return chunkBytes;
  throw new LapError("invalidArgument", "ERR_LAP_CHUNK_SIZE", `invalid chunk size ${chunkBytes}`, {
    hint: `a chunk has ${least} to ${most} bytes`,
  });
}
