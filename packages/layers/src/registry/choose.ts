// Which image of an index: by platform, in an order of preference.
import {
  LapError,
  formatPlatform,
  normalizePlatform,
  samePlatform,
  type Descriptor,
  type Platform,
} from "@lapstrake/base";

/** The entry for the first of `wanted` that is there: exact, or the same without a variant that was not asked for. Throws `ERR_LAP_NO_PLATFORM`. */
export function choose(entries: readonly Descriptor[], wanted: readonly Platform[], root: Descriptor): Descriptor {
  const images = entries.filter(({ platform }) => platform !== undefined && platform.os !== "unknown");
  for (const platform of wanted) {
    const found = entryFor(images, platform);
    if (found !== undefined) return found;
  }
  if (entries.length === 1 && entries[0]!.platform === undefined) return entries[0]!;
  const have = [...new Set(images.map(({ platform }) => formatPlatform(platform!)))].join(", ");
  const message = `no matching manifest for ${wanted.map(formatPlatform).join(" or ")} in the manifest list entries`;
  throw new LapError("notFound", "ERR_LAP_NO_PLATFORM", message, {
    hint: have === "" ? "the index names no platforms" : `it has ${have}`,
    detail: { digest: root.digest },
  });
}

function entryFor(images: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const exact = images.find(({ platform }) => samePlatform(platform!, wanted));
  const { os, architecture, variant } = normalizePlatform(wanted);
  if (exact !== undefined || variant !== undefined) return exact;
  const bare = ({ os: itsOs, architecture: its }: Platform): Platform => ({ os: itsOs, architecture: its });
  return images.find(({ platform }) => samePlatform(bare(platform!), { os, architecture }));
}
