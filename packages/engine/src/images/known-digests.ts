// Which digests a registry knows: what was pulled or pushed by it. Docker shows DIGEST and RepoDigests for those only. One empty file
// per `repository@digest` beneath digests/, made and removed like names.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, familiarName, parseReference, type Digest } from "@lapstrake/base";
import type { StorePaths } from "../state/layout.ts";

const MAX_NAME_BYTES = 255;

function folderOf(paths: StorePaths): string {
  return join(paths.root, "digests");
}

/** Remembers that a registry has `digest` under the repository of `reference`. A name longer than files may be is not remembered. */
export function rememberDigest(paths: StorePaths, reference: string, digest: Digest): void {
  const name = encodeURIComponent(`${familiarName(parseReference(reference))}@${digest}`);
  if (name.length > MAX_NAME_BYTES) return;
  mkdirSync(folderOf(paths), { recursive: true, mode: 0o700 });
  writeFileSync(join(folderOf(paths), name), "");
}

/** Every `repository@digest` that a registry knows. */
export function knownDigests(paths: StorePaths): ReadonlySet<string> {
  try {
    return new Set(readdirSync(folderOf(paths)).map(decodeURIComponent));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return new Set();
    throw error;
  }
}

/** Forgets a digest in every repository. */
export function forgetDigest(paths: StorePaths, digest: Digest): void {
  for (const known of knownDigests(paths)) {
    if (known.endsWith(`@${digest}`)) rmSync(join(folderOf(paths), encodeURIComponent(known)), { force: true });
  }
}
