// Named limits on hostile layers and archives: everything that a few bytes of input could inflate has its bound here.

/** Longest name of one component, bytes: NAME_MAX of limits.h. */
export const MAX_NAME_BYTES = 255;
/** Deepest nesting of directories in a layer. */
export const MAX_DEPTH = 1024;
/** Largest PAX header or GNU long name, bytes. */
export const MAX_PAX_BYTES: number = 1024 * 1024;
/** Most data extents of one sparse member. */
export const MAX_SPARSE_EXTENTS = 65_536;
/** Largest regular file, logical bytes: ext4's limit of 16 TiB. */
export const MAX_FILE_BYTES: number = 16 * 2 ** 40;
/** Most bytes behind the end mark of an archive: padding of whatever wrote it, which is read and ignored. */
export const MAX_TAR_TRAILER_BYTES: number = 256 * 2 ** 20;
/** Most members of one archive. */
export const MAX_MEMBERS = 5_000_000;
/** Symbolic links followed in one path: path_resolution(7). */
export const MAX_SYMLINKS = 40;
/** Longest target of a symbolic link, bytes: PATH_MAX of limits.h, without the NUL. */
export const MAX_LINK_TARGET_BYTES = 4095;
/** Most files of an image archive (not of a layer). */
export const MAX_ARCHIVE_FILES = 20_000;
/** Largest layer, uncompressed bytes: what a small blob may unpack to before somebody stops it. */
export const MAX_LAYER_BYTES: number = 2 ** 40;
/** Largest layer that is decompressed into memory, bytes. */
export const MAX_MEMORY_LAYER_BYTES: number = 2 ** 32;
/** Deepest nesting of indexes in an image. */
export const MAX_INDEX_DEPTH = 8;
/** Most manifests in one index. */
export const MAX_INDEX_MANIFESTS = 1000;
