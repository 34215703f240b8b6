// Names and ids -> one stored image: references first, then ids and unique id prefixes, as Docker looks them up.
import {
  LapError,
  formatPlatform,
  isDigest,
  normalizePlatform,
  parseReference,
  samePlatform,
  type Digest,
  type Platform,
} from "@lapstrake/base";
import type { ImageRecord, ImageVariant, Records } from "./records.ts";

/** A stored image by name or id, and the platform of it that was meant. */
export interface ResolvedImage {
  readonly record: ImageRecord;
  readonly variant: ImageVariant;
  /** Canonical reference when it was found by name. */
  readonly reference: string | undefined;
}

const ID_PREFIX = /^(?:sha256:)?([a-f0-9]{1,64})$/;

/** Finds an image; throws `ERR_LAP_NO_IMAGE`, `ERR_LAP_ID_AMBIGUOUS`, `ERR_LAP_NO_PLATFORM`. */
export function resolveImage(
  records: Records,
  nameOrId: string,
  wanted: Platform | undefined,
  preferred: Platform,
): ResolvedImage {
  const byName = lookUpName(records, nameOrId);
  if (byName !== undefined) return { ...byName, variant: chooseVariant(byName.record, wanted, preferred) };
  const byId = lookUpId(records, nameOrId);
  if (byId === undefined) throw noImage(nameOrId);
  if (wanted !== undefined && !fits(byId.variant, wanted)) throw noPlatform(nameOrId, wanted, [byId.variant]);
  return { ...byId, reference: undefined };
}

function lookUpName(records: Records, name: string): { record: ImageRecord; reference: string } | undefined {
  if (isDigest(name) || /^[a-f0-9]{64}$/.test(name)) return undefined;
  const reference = tryParse(name);
  const ref = reference === undefined ? undefined : records.ref(reference);
  const record = ref === undefined ? undefined : records.image(ref.target.digest);
  if (ref !== undefined && record !== undefined) return { record, reference: ref.reference };
  return reference?.digest === undefined ? undefined : byDigest(records, reference.digest);
}

/** `name@sha256:…` finds the target or one of its manifests. */
function byDigest(records: Records, digest: Digest): { record: ImageRecord; reference: string } | undefined {
  const record =
    records.image(digest) ??
    records.images().find(({ variants }) => variants.some(({ manifest }) => manifest.digest === digest));
  return record === undefined ? undefined : { record, reference: "" };
}

function tryParse(name: string): ReturnType<typeof parseReference> | undefined {
  try {
    return parseReference(name);
  } catch (error) {
    if (error instanceof LapError) return undefined;
    throw error;
  }
}

function lookUpId(records: Records, id: string): { record: ImageRecord; variant: ImageVariant } | undefined {
  const prefix = ID_PREFIX.exec(id)?.[1];
  if (prefix === undefined) return undefined;
  const found = new Map<Digest, { record: ImageRecord; variant: ImageVariant }>();
  for (const record of records.images()) {
    for (const variant of record.variants)
      if (variant.id.startsWith(`sha256:${prefix}`)) found.set(variant.id, { record, variant });
    if (record.target.digest.startsWith(`sha256:${prefix}`))
      found.set(record.target.digest, { record, variant: record.variants[0]! });
  }
  if (new Set([...found.values()].map(({ variant }) => variant.id)).size > 1) {
    throw new LapError("invalidArgument", "ERR_LAP_ID_AMBIGUOUS", `multiple images match the id prefix "${id}"`, {
      hint: "give more digits",
    });
  }
  return [...found.values()][0];
}

/** The variant for a platform: the wanted one must be there; else the preferred, else the first that runs somewhere. */
export function chooseVariant(record: ImageRecord, wanted: Platform | undefined, preferred: Platform): ImageVariant {
  const exact = record.variants.find((variant) => fits(variant, wanted ?? preferred));
  if (exact !== undefined) return exact;
  if (wanted !== undefined) throw noPlatform(record.target.digest, wanted, record.variants);
  return record.variants.find(({ platform }) => platform.os !== "unknown") ?? record.variants[0]!;
}

/** The same platform, or the same without a variant that was not asked for. */
function fits({ platform }: ImageVariant, wanted: Platform): boolean {
  if (samePlatform(platform, wanted)) return true;
  const { os, architecture, variant } = normalizePlatform(wanted);
  return (
    variant === undefined &&
    samePlatform({ os: platform.os, architecture: platform.architecture }, { os, architecture })
  );
}

function noImage(name: string): LapError {
  return new LapError("notFound", "ERR_LAP_NO_IMAGE", `No such image: ${name.slice(0, 300)}`, {
    hint: "lap images lists what is here; lap load -i FILE or lap pull brings one",
  });
}

function noPlatform(name: string, wanted: Platform, variants: readonly ImageVariant[]): LapError {
  const have = variants.map(({ platform }) => formatPlatform(platform)).join(", ");
  return new LapError("notFound", "ERR_LAP_NO_PLATFORM", `image "${name}" has no platform ${formatPlatform(wanted)}`, {
    hint: `it is here for ${have}`,
  });
}
