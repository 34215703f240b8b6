// What refers to an image (signatures, bills of material): the referrers API, or where a registry lacks it the index under the tag
// that the digest makes (distribution-spec "Listing Referrers", "Referrers Tag Schema").
import {
  MEDIA_TYPE,
  digestAlgorithm,
  digestHex,
  isLapError,
  type Descriptor,
  type Digest,
  type ImageIndex,
} from "@lapstrake/base";
import { parseDescriptor, parseIndex } from "../image/documents.ts";
import { artifactTypeOf } from "./documents.ts";
import { getManifest, putManifest, type FetchedDocument } from "./manifests.ts";
import { pages } from "./paging.ts";
import { repositoryScope } from "./scope.ts";
import type { Transport } from "./transport.ts";
import type { CallOptions, Repository } from "./types.ts";

/** The fall-back tag of a digest: `sha256-6c3c…`. */
function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest).slice(0, 32)}-${digestHex(digest).slice(0, 64)}`;
}

/** Descriptors of the documents that have `digest` as their subject; `artifactType` narrows them. */
export async function listReferrers(
  transport: Transport,
  repository: Repository,
  digest: Digest,
  options: CallOptions & { readonly artifactType?: string } = {},
): Promise<Descriptor[]> {
  const { artifactType } = options;
  const all =
    (await fromApi(transport, repository, digest, options)) ?? (await fromTag(transport, repository, digest, options));
  return artifactType === undefined ? all : all.filter((item) => item.artifactType === artifactType);
}

/** Undefined when the registry has no referrers API. */
async function fromApi(
  transport: Transport,
  repository: Repository,
  digest: Digest,
  options: CallOptions & { readonly artifactType?: string },
): Promise<Descriptor[] | undefined> {
  const query =
    options.artifactType === undefined
      ? ""
      : `?${new URLSearchParams({ artifactType: options.artifactType }).toString()}`;
  const call = {
    path: `/v2/${repository.path}/referrers/${digest}${query}`,
    what: `referrers of ${digest}`,
    scopes: [repositoryScope(repository, "pull")],
  };
  const found: Descriptor[] = [];
  try {
    for await (const page of pages(transport, repository.endpoint, call, options)) found.push(...entries(page));
  } catch (error) {
    if (isLapError(error, "notFound") || isLapError(error, "unimplemented")) return undefined;
    throw error;
  }
  return found;
}

function entries(page: Record<string, unknown>): Descriptor[] {
  const list: unknown = page["manifests"];
  return Array.isArray(list) ? list.map((entry) => parseDescriptor(entry, "referrer")) : [];
}

async function fromTag(
  transport: Transport,
  repository: Repository,
  digest: Digest,
  options: CallOptions,
): Promise<Descriptor[]> {
  const index = await tagIndex(transport, repository, digest, options);
  return [...(index?.manifests ?? [])];
}

async function tagIndex(
  transport: Transport,
  repository: Repository,
  digest: Digest,
  options: CallOptions,
): Promise<ImageIndex | undefined> {
  try {
    const { target, bytes } = await getManifest(transport, repository, referrersTag(digest), options);
    return target.kind === "index" ? parseIndex(bytes) : undefined;
  } catch (error) {
    if (isLapError(error, "notFound")) return undefined;
    throw error;
  }
}

/** Adds a pushed document to its subject's index, where the registry did not record it itself. */
export async function recordReferrer(
  transport: Transport,
  repository: Repository,
  referrer: Pick<FetchedDocument, "descriptor" | "mediaType" | "target">,
  subject: Digest,
  options: CallOptions = {},
): Promise<void> {
  const before = (await tagIndex(transport, repository, subject, options))?.manifests ?? [];
  if (before.some(({ digest }) => digest === referrer.descriptor.digest)) return;
  const document = referrer.target.kind === "index" ? referrer.target.index : referrer.target.manifest;
  const artifactType = artifactTypeOf(referrer);
  const { mediaType, digest, size } = referrer.descriptor;
  const entry: Descriptor = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
  };
  const index: ImageIndex = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [...before, entry] };
  const bytes = new TextEncoder().encode(JSON.stringify(index));
  const described = { mediaType: MEDIA_TYPE.index, digest: transport.options.hash.digest("sha256", bytes) };
  await putManifest(transport, repository, referrersTag(subject), described, bytes, options);
}
