// Manifests and indexes of a repository (distribution-spec "Pulling manifests", "Pushing Manifests", "Deleting tags").
import { MAX_MANIFEST_BYTES, isDigest, type Descriptor, type Digest } from "@lapstrake/base";
import { contentLength, verifyBytes } from "./body.ts";
import { DOCUMENT_TYPES, parseDocument, plainType, type ParsedDocument } from "./documents.ts";
import { protocolError } from "./errors.ts";
import { repositoryScope } from "./scope.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

/** A document with its exact bytes: what hashes to its digest. */
export interface FetchedDocument extends ParsedDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const ACCEPT = DOCUMENT_TYPES.join(", ");

function pathOf(repository: Repository, reference: string): string {
  return `/v2/${repository.path}/manifests/${reference}`;
}

/** `"1.0" of "example.org/app"`, for messages. */
export function named(repository: Repository, reference: string): string {
  return `"${reference}" of "${repository.endpoint.domain}/${repository.path}"`;
}

/** Fetches a manifest or index by tag or digest; its digest is checked before it is parsed. */
export async function getManifest(
  transport: Transport,
  repository: Repository,
  reference: string,
  { signal }: CallOptions = {},
): Promise<FetchedDocument> {
  const what = `manifest ${named(repository, reference)}`;
  const { answer, bytes } = await transport.sendAndRead(
    repository.endpoint,
    {
      method: "GET",
      path: pathOf(repository, reference),
      what,
      scopes: [repositoryScope(repository, "pull")],
      headers: { accept: ACCEPT },
      accept: [200],
      signal,
    },
    MAX_MANIFEST_BYTES,
  );
  const digest = wantedDigest(reference, answer.headers["docker-content-digest"], what);
  const { hash } = transport.options;
  const found = { mediaType: "", digest: digest ?? hash.digest("sha256", bytes), size: bytes.length };
  verifyBytes(hash, found, bytes);
  const { mediaType, target } = parseDocument(bytes, plainType(answer.headers["content-type"]));
  return { descriptor: { ...found, mediaType }, bytes, mediaType, target };
}

/** What the bytes must hash to: the asked digest, else what the server claims; undefined when it claims nothing. */
function wantedDigest(reference: string, header: string | undefined, what: string): Digest | undefined {
  if (isDigest(reference)) {
    if (header !== undefined && header !== reference && header.startsWith(reference.slice(0, 7))) {
      throw protocolError(`${what}: the registry answers with another digest`);
    }
    return reference;
  }
  if (header !== undefined && !isDigest(header)) throw protocolError(`${what}: the registry names an invalid digest`);
  return header;
}

/** The descriptor of a tag or digest without its content; undefined when it does not exist. */
export async function headManifest(
  transport: Transport,
  repository: Repository,
  reference: string,
  { signal }: CallOptions = {},
): Promise<Descriptor | undefined> {
  const answer = await transport.sendOnly(repository.endpoint, {
    method: "HEAD",
    path: pathOf(repository, reference),
    what: `manifest ${named(repository, reference)}`,
    scopes: [repositoryScope(repository, "pull")],
    headers: { accept: ACCEPT },
    accept: [200, 404],
    signal,
  });
  if (answer.status === 404) return undefined;
  const digest = answer.headers["docker-content-digest"];
  const size = contentLength(answer);
  const mediaType = plainType(answer.headers["content-type"]);
  if (isDigest(digest) && size !== undefined && mediaType !== undefined) return { mediaType, digest, size };
  return (await getManifest(transport, repository, reference, { signal })).descriptor;
}

/** Uploads a document under a tag or its digest; true when the registry has recorded its subject (referrers API). */
export async function putManifest(
  transport: Transport,
  repository: Repository,
  reference: string,
  { mediaType, digest }: Pick<Descriptor, "mediaType" | "digest">,
  bytes: Uint8Array,
  { signal }: CallOptions = {},
): Promise<{ readonly subjectRecorded: boolean }> {
  const what = `push manifest ${named(repository, reference)}`;
  const answer = await transport.sendOnly(repository.endpoint, {
    method: "PUT",
    path: pathOf(repository, reference),
    what,
    scopes: [repositoryScope(repository, "push")],
    headers: { "content-type": mediaType, "content-length": String(bytes.length) },
    body: () => bytes,
    accept: [200, 201, 202],
    signal,
  });
  const stored = answer.headers["docker-content-digest"];
  if (stored !== undefined && stored !== digest) throw protocolError(`${what}: the registry stored another digest`);
  return { subjectRecorded: answer.headers["oci-subject"] !== undefined };
}

/** Deletes a manifest by digest, or a tag where the registry allows it; false when it did not exist. */
export async function deleteManifest(
  transport: Transport,
  repository: Repository,
  reference: string,
  { signal }: CallOptions = {},
): Promise<boolean> {
  const answer = await transport.sendOnly(repository.endpoint, {
    method: "DELETE",
    path: pathOf(repository, reference),
    what: `delete manifest ${named(repository, reference)}`,
    scopes: [repositoryScope(repository, "delete")],
    accept: [200, 202, 404],
    signal,
  });
  return answer.status !== 404;
}
