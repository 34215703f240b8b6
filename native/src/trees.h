// Mounts that the helper makes while it still is the host's root, for a container that may be in a user namespace: id-mapped
// copies of directories, and an overlay of such layers. mount_setattr(2) "ID-mapped mounts".
#ifndef LAP_TREES_H
#define LAP_TREES_H

#include "plan.h"

#define MAX_TREES 256U

// Codes of the operations that take a tree: ops.c has the same.
#define OP_MOUNT_MAPPED 50U
#define OP_ROOT_MAPPED 51U
// One that a mapped mount may need the descriptor of.
#define OP_OPEN_BENEATH 55U

struct trees {
  int fds[MAX_TREES];  // in the order of the operations that take them
  uint32_t count;
};

// Makes the trees of every operation that takes one; errno, with the path concerned in `detail`.
int trees_make(const struct plan *plan, struct trees *trees, const char **detail);
void trees_close(struct trees *trees);

#endif
