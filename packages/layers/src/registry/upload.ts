// Blobs of a repository, written (distribution-spec "Pushing blobs"): a session is opened, or another repository's blob is mounted;
//   POST uploads/ ──201──> mounted
//        └───────202──> Location ── PUT ?digest (whole body)
//                              └─── PATCH, PATCH, … (parts) ── PUT ?digest
// Content is read anew for each try, so that a broken connection costs one part and never the upload.
import { isLapError, type Descriptor } from "@lapstrake/base";
import { verified } from "./body.ts";
import { patchParts } from "./chunks.ts";
import { withRetry } from "./retry.ts";
import { repositoryScope } from "./scope.ts";
import { cancelUpload, finishUpload, startUpload, uploadName, withDigest, type UploadSession } from "./session.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

/** How blobs travel. */
export interface UploadOptions extends CallOptions {
  /** Send in parts of this many bytes; default: whole, and in parts only when the registry refuses a body as too large. */
  readonly chunkBytes?: number | undefined;
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

/** One PUT with everything. A failed try spends its session, so each further one opens its own. */
async function putWhole(
  transport: Transport,
  repository: Repository,
  session: UploadSession,
  { digest, size }: Descriptor,
  content: () => AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let unused: UploadSession | undefined = session;
  await withRetry(transport.options.clock, transport.retry, signal, async () => {
    const current = unused ?? (await startUpload(transport, repository, { signal }));
    unused = undefined;
    if (current === undefined) return;
    await transport.sendOnly(repository.endpoint, {
      method: "PUT",
      path: withDigest(current.location, digest),
      what: uploadName(repository, digest),
      scopes: [repositoryScope(repository, "push")],
      headers: { "content-type": "application/octet-stream", "content-length": String(size) },
      body: content,
      accept: [200, 201],
      attempts: 1,
      signal,
    });
  });
}
