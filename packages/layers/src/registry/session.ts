// The session of an upload: opened by POST (or answered by a mount), closed by PUT with the digest, or cancelled.
import { checkLocation } from "./redirect.ts";
import { repositoryScope } from "./scope.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

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

/** The location of a session with the digest that ends it. */
export function withDigest(location: string, digest: string): string {
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
