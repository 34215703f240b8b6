// Manifests and indexes as registries deliver them: the transport and the document must agree on one media type (CVE-2021-41190).
import {
  LapError,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPE,
  parseJsonObject,
  type Descriptor,
  type Manifest,
} from "@lapstrake/base";
import { isIndexType, isManifestType, parseDescriptor, parseTarget, type Target } from "../image/documents.ts";

/** What we accept, for the Accept header. */
export const DOCUMENT_TYPES: readonly string[] = [
  MEDIA_TYPE.manifest,
  MEDIA_TYPE.dockerManifest,
  MEDIA_TYPE.index,
  MEDIA_TYPE.dockerList,
];

const GENERIC_TYPES: ReadonlySet<string | undefined> = new Set([
  undefined,
  "application/json",
  "application/octet-stream",
  "text/plain",
]);

/** True for media types of documents that point at other content. */
export function isDocumentType(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType);
}

function invalid(why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_DOCUMENT_INVALID", `invalid manifest: ${why}`);
}

function unsupported(mediaType: string): LapError {
  const isOld = mediaType.startsWith("application/vnd.docker.distribution.manifest.v1");
  const message = `manifests of type "${mediaType.slice(0, 100)}" are not supported`;
  const hint = isOld
    ? "push the image again with a client that writes schema 2"
    : "OCI and Docker schema 2 are supported";
  return new LapError("unimplemented", "ERR_LAP_DOCUMENT_UNSUPPORTED", message, { hint });
}

/** Media types as servers write them: without parameters, in lower case. */
export function plainType(header: string | undefined): string | undefined {
  return header?.split(";")[0]?.trim().toLowerCase();
}

/** The one media type that the transport and the document agree on; throws when they do not. */
function agreedType(document: Record<string, unknown>, outer: string | undefined): string {
  const inner = document["mediaType"];
  if (inner !== undefined && typeof inner !== "string") throw invalid("its media type is not a text");
  const known = outer === undefined || GENERIC_TYPES.has(outer) ? undefined : outer;
  if (inner !== undefined && known !== undefined && inner !== known) {
    throw invalid(`it calls itself "${inner.slice(0, 100)}" but was delivered as "${known.slice(0, 100)}"`);
  }
  const type = inner ?? known;
  if (type !== undefined) return type;
  return Array.isArray(document["manifests"]) ? MEDIA_TYPE.index : MEDIA_TYPE.manifest;
}

/** A parsed document with the media type that holds. */
export interface ParsedDocument {
  readonly mediaType: string;
  readonly target: Target;
}

/** Parses a document that was delivered as `mediaType`. Throws `ERR_LAP_DOCUMENT_INVALID`, `ERR_LAP_DOCUMENT_UNSUPPORTED`. */
export function parseDocument(bytes: Uint8Array, mediaType: string | undefined): ParsedDocument {
  const value = parseJsonObject(bytes, "manifest", MAX_MANIFEST_BYTES);
  const agreed = agreedType(value, mediaType);
  if (!isDocumentType(agreed) || value["schemaVersion"] === 1) throw unsupported(agreed);
  if (value["subject"] !== undefined) parseDescriptor(value["subject"], "subject");
  return { mediaType: agreed, target: parseTarget(bytes, agreed) };
}

/** Config and layers of a manifest, each digest once: the blobs that must be there before it. */
export function blobsOf({ config, layers }: Manifest): Descriptor[] {
  return [...new Map([config, ...layers].map((descriptor) => [descriptor.digest, descriptor])).values()];
}

/** The document that `bytes` refers to as its subject, if any. */
export function subjectOf({ target }: ParsedDocument): Descriptor | undefined {
  return target.kind === "index" ? target.index.subject : target.manifest.subject;
}

/** What a referrer is: its own artifact type, else the type of its config. */
export function artifactTypeOf({ target }: ParsedDocument): string | undefined {
  if (target.kind === "index") return target.index.artifactType;
  return target.manifest.artifactType ?? target.manifest.config.mediaType;
}
