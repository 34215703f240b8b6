// Names of layer members: cleaning of paths, and the whiteout names of OCI image-spec layer.md with AUFS's leftovers.
import { LapError, fromByteString, type ByteString } from "@lapstrake/base";
import { MAX_DEPTH, MAX_NAME_BYTES } from "../limits.ts";

export const WHITEOUT_PREFIX = ".wh.";
export const OPAQUE_NAME = ".wh..wh..opq";
const META_PREFIX = ".wh..wh.";

/** Components of a member's path: `./`, leading and doubled slashes dropped, `..` clamped at the root. [] is the root. */
export function cleanPath(path: ByteString): ByteString[] {
  const out: ByteString[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") out.pop();
    else out.push(part);
  }
  checkParts(out);
  return out;
}

function checkParts(parts: readonly ByteString[]): void {
  if (parts.length > MAX_DEPTH)
    throw badName(parts.slice(0, 8).join("/"), `is more than ${MAX_DEPTH} directories deep`);
  for (const part of parts) {
    if (part.length > MAX_NAME_BYTES) throw badName(part.slice(0, 60), `is longer than ${MAX_NAME_BYTES} bytes`);
    if (part.includes("\0")) throw badName(part, "contains a NUL byte");
  }
}

/** What the last component of a member says. */
export type NameKind =
  | { readonly kind: "plain" }
  | { readonly kind: "whiteout"; readonly name: ByteString }
  | { readonly kind: "opaque" }
  /** AUFS bookkeeping (`.wh..wh.aufs`, `.wh..wh.plnk`, `.wh..wh.orph`): ignored. */
  | { readonly kind: "ignored" };

const PLAIN: NameKind = { kind: "plain" };

/** Classifies cleaned `parts`; throws `ERR_LAP_LAYER_WHITEOUT` for a whiteout that names nothing. */
export function classifyName(parts: readonly ByteString[]): NameKind {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (!part.startsWith(WHITEOUT_PREFIX)) continue;
    const isLast = i === parts.length - 1;
    if (part === OPAQUE_NAME && isLast) return { kind: "opaque" };
    if (part.startsWith(META_PREFIX)) return { kind: "ignored" };
    const name = part.slice(WHITEOUT_PREFIX.length);
    if (!isLast || name === "" || name === "." || name === "..") {
      throw new LapError(
        "invalidArgument",
        "ERR_LAP_LAYER_WHITEOUT",
        `invalid whiteout name "${show(parts.join("/"))}"`,
      );
    }
    return { kind: "whiteout", name };
  }
  return PLAIN;
}

/** Throws when a name of the filesystem could not be told from a whiteout inside a layer. */
export function refuseWhiteoutName(path: ByteString, name: ByteString): void {
  if (!name.startsWith(WHITEOUT_PREFIX)) return;
  throw new LapError("invalidArgument", "ERR_LAP_LAYER_WHITEOUT", `"${show(path)}" cannot be stored in a layer`, {
    hint: 'names that start with ".wh." mean deletions there; rename the file',
  });
}

function badName(name: ByteString, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_LAYER_NAME", `member name "${show(name)}" ${why}`);
}

/** A path for people: control characters do not reach the terminal. */
export function show(path: ByteString): string {
  let out = "";
  for (const char of fromByteString(path).slice(0, 300)) out += char < " " || char === "\u007f" ? "?" : char;
  return out;
}
