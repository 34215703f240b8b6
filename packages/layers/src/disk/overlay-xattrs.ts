// Overlayfs's private xattrs and how layers' own attributes of the same name are kept apart (overlayfs.rst "Nesting overlayfs mounts").
import type { ByteString, DirFs, FileStat } from "@lapstrake/base";

/** Which namespace the mount reads: `trusted` normally, `user` for mounts with `userxattr` in a user namespace. */
export type OverlayXattrs = "trusted" | "user";

/** The value "y" of an opaque mark. */
export const OPAQUE_VALUE: Uint8Array = new Uint8Array([0x79]);

/** The value "x" of a directory whose files may be deletions by attribute. */
export const LOOK_INSIDE: Uint8Array = new Uint8Array([0x78]);

/** Of a file that says that a name is deleted. */
export const WHITEOUT_VALUE: Uint8Array = new Uint8Array([0x79]);

export function whiteoutName(space: OverlayXattrs): ByteString {
  return `${space}.overlay.whiteout`;
}

export function opaqueName(space: OverlayXattrs): ByteString {
  return `${space}.overlay.opaque`;
}

/** Name on disk of an attribute that a layer or program set: the overlay's own prefix is escaped, the kernel shows it unescaped. */
export function escapeXattr(name: ByteString, space: OverlayXattrs): ByteString {
  const prefix = `${space}.overlay.`;
  return name.startsWith(prefix) ? `${prefix}overlay.${name.slice(prefix.length)}` : name;
}

/** The attribute behind a name on disk; undefined for the overlay's own bookkeeping. */
export function unescapeXattr(name: ByteString, space: OverlayXattrs): ByteString | undefined {
  const prefix = `${space}.overlay.`;
  if (!name.startsWith(prefix)) return name;
  const rest = name.slice(prefix.length);
  return rest.startsWith("overlay.") ? prefix + rest.slice("overlay.".length) : undefined;
}

/** A directory whose files may be whiteouts by attribute: overlayfs.rst "whiteouts and opaque directories". */
export function hasXattrWhiteouts(dir: DirFs, path: ByteString, space: OverlayXattrs): boolean {
  return opaqueMark(dir, path, space) === "x";
}

/** True for a directory that hides everything below it. */
export function isOpaqueDir(dir: DirFs, path: ByteString, space: OverlayXattrs): boolean {
  return opaqueMark(dir, path, space) === "y";
}

function opaqueMark(dir: DirFs, path: ByteString, space: OverlayXattrs): string | undefined {
  if (!dir.features.xattrs) return undefined;
  const value = dir.getXattr(path, opaqueName(space));
  return value?.length === 1 ? String.fromCharCode(value[0]!) : undefined;
}

/** A deleted name: a 0:0 device, or an empty file that says so in a directory where that counts. */
export function isWhiteoutEntry(
  dir: DirFs,
  path: ByteString,
  stat: FileStat,
  space: OverlayXattrs,
  byXattr: boolean,
): boolean {
  if (stat.type === "char") return stat.rdevMajor === 0 && stat.rdevMinor === 0;
  if (!byXattr || stat.type !== "file" || stat.size > 0) return false;
  return dir.getXattr(path, whiteoutName(space)) !== undefined;
}
