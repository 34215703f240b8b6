// Overlayfs's private xattrs and how layers' own attributes of the same name are kept apart (overlayfs.rst "Nesting overlayfs mounts").
import type { ByteString } from "@lapstrake/base";

/** Which namespace the mount reads: `trusted` normally, `user` for mounts with `userxattr` in a user namespace. */
export type OverlayXattrs = "trusted" | "user";

/** The value "y" of an opaque mark. */
export const OPAQUE_VALUE: Uint8Array = new Uint8Array([0x79]);

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
