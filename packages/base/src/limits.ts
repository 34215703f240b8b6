// Named limits on untrusted documents and archives. Every limit that bounds hostile input stands here or in a room's own limits.ts.

/** Largest manifest or index accepted, bytes (distribution-spec suggests at least 4 MiB). */
export const MAX_MANIFEST_BYTES: number = 4 * 1024 * 1024;
/** Largest image config accepted, bytes. */
export const MAX_CONFIG_BYTES: number = 8 * 1024 * 1024;
/** Most layers in one image: what the kernel's overlay takes (fs/overlayfs OVL_MAX_STACK). */
export const MAX_LAYERS = 500;
