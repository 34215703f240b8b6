// What the mounting operations share.
#ifndef LAP_OP_MOUNT_H
#define LAP_OP_MOUNT_H

#include "run.h"

// Puts a detached mount onto an open target; errno.
int move_to(int tree, int target);
// Sets "key=value" or the flag "key" on a filesystem context; errno.
int set_option(int context, const char *option);
// mount_setattr(2) on a detached mount; errno.
int set_attributes(int tree, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation);
// A detached mount of a new filesystem; negative errno, with the kernel's message in run->detail.
int make_filesystem(struct run *run, const char *type, const char *source, struct list options, uint64_t attr);
// Adds the kernel's message of a filesystem context to the failure; returns `error`.
int context_failure(struct run *run, int context, int error, const char *what);
bool is_directory(int fd);
// The descriptor that op_open_sources or op_open_beneath has for a path, -1 for none.
int opened_source(struct run *run, const char *source);
// A detached clone of a host path, opened before when one of them did; negative errno.
int clone_tree(struct run *run, const char *source, bool recursive);

#endif
