// What the two ways of mounting the root's overlay share.
#ifndef LAP_OP_ROOT_H
#define LAP_OP_ROOT_H

#include "run.h"

// The directories of an overlay and its options; `upper` is "" for a read-only one.
struct overlay {
  struct list lowers;
  const char *upper;
  const char *work;
  struct list options;
};

// True when a filesystem context takes any key: its filesystem parses a string of mount(2).
bool takes_anything(int context);
// Mounts by mount(2) on `at` and opens run->root; errno.
int overlay_by_mount(struct run *run, const char *at, struct overlay *overlay);
// Puts a detached mount on the directory `at`; errno.
int attach_root(struct run *run, int tree, const char *at);

#endif
