// Content digests: OCI image-spec descriptor.md "Digests". Parsed strictly: a digest becomes a file name.
import { LapError } from "./errors.ts";

/** `algorithm:hex`, for example `sha256:6c3c…` (64 lowercase hex digits). */
export type Digest = string & { readonly __digest: unique symbol };

const HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };
const GRAMMAR = /^([a-z0-9]+):([a-f0-9]+)$/;

/** True when `text` is a digest of a registered algorithm with the right length. */
export function isDigest(text: unknown): text is Digest {
  if (typeof text !== "string") return false;
  const match = GRAMMAR.exec(text);
  return match !== null && HEX_LENGTH[match[1]!] === match[2]!.length;
}

/** Checked {@link Digest}; throws `ERR_LAP_DIGEST_INVALID`. */
export function parseDigest(text: unknown): Digest {
  if (isDigest(text)) return text;
  const shown = typeof text === "string" ? `"${text.slice(0, 100)}"` : typeof text;
  throw new LapError("invalidArgument", "ERR_LAP_DIGEST_INVALID", `invalid digest ${shown}`, {
    hint: "a digest is sha256: and 64 lowercase hex digits",
  });
}

/** The digest of a hex string; `algorithm` defaults to sha256. */
export function digestOf(hex: string, algorithm = "sha256"): Digest {
  return parseDigest(`${algorithm}:${hex}`);
}

/** The hex part. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** The algorithm part. */
export function digestAlgorithm(digest: Digest): string {
  return digest.slice(0, digest.indexOf(":"));
}
