// The platforms that a stored target is for: its own, or those of its index, whether their layers are here or not.
import { MAX_MANIFEST_BYTES, formatPlatform, type Descriptor, type Platform } from "@lapstrake/base";
import type { BlobStore } from "./blobs.ts";
import { isIndexType, parseIndex } from "./documents.ts";
import type { ImageRecord, ImageVariant } from "./records.ts";

/** One manifest of a target. */
export interface TargetPlatform {
  readonly manifest: Descriptor;
  readonly platform: Platform;
  /** Undefined when its layers are not in the store. */
  readonly variant: ImageVariant | undefined;
}

/** In the index's order; what an index says about its images (attestations) is left out. */
export function targetPlatforms(blobs: BlobStore, record: ImageRecord): TargetPlatform[] {
  const here = record.variants.map((variant) => ({ manifest: variant.manifest, platform: variant.platform, variant }));
  if (!isIndexType(record.target.mediaType)) return here;
  const { manifests } = parseIndex(blobs.read(record.target.digest, MAX_MANIFEST_BYTES));
  const listed = manifests.flatMap((manifest): TargetPlatform[] => {
    const known = here.find((each) => each.manifest.digest === manifest.digest);
    const platform = known?.platform ?? manifest.platform;
    if (platform === undefined || formatPlatform(platform) === "unknown/unknown") return [];
    return [known ?? { manifest, platform, variant: undefined }];
  });
  const nested = here.filter((each) => !manifests.some(({ digest }) => digest === each.manifest.digest));
  return [...listed, ...nested];
}
