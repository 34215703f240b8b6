// Paths beneath the new root: openat2(2) with RESOLVE_IN_ROOT, so that no symbolic link or ".." of an image leaves it.
#ifndef LAP_BENEATH_H
#define LAP_BENEATH_H

#include <stdbool.h>
#include <stdint.h>

// Opens `path` inside `root` with O_PATH; negative errno on failure. Links are followed as if `root` were "/".
int open_beneath(int root, const char *path, uint64_t flags);
// Opens with O_PATH what `path` names below the host directory `base`, of which it must be a textual continuation, where no part
// after `base` may be a link: somebody else may write there meanwhile. Negative errno, ELOOP for a link.
int open_without_links(const char *base, const char *path);
// As open_beneath, but makes missing directories, and the last component as a directory or an empty file.
int make_beneath(int root, const char *path, bool directory, unsigned mode);
// Opens the directory that will hold the last component of `path` (made when missing) and points `name` at it.
int parent_beneath(int root, const char *path, const char **name);

#endif
