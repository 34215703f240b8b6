// State of one launch inside the container's first process, and the operations that it executes.
#ifndef LAP_RUN_H
#define LAP_RUN_H

#include <stdbool.h>

#include "plan.h"
#include "trees.h"

#define DETAIL_SIZE 400
#define STATE_SIZE 65536
#define MAX_SOURCES 512U
#define MAX_BENEATH 256U

// Kinds of launch failure, for the exit code (125, 126, 127); packages/core/src/launch/failure.ts has the same numbers.
#define FAIL_OTHER 0U
#define FAIL_NOT_FOUND 1U
#define FAIL_PERMISSION 2U

struct run {
  const struct plan *plan;
  int root;      // the new root filesystem, -1 before it exists
  int report;    // socket to the supervisor, closed by exec
  int stdio[3];  // what becomes 0, 1 and 2 without a pty; -1 keeps what is there
  int gate;      // exec.fifo, -1 without a gate
  int failed;    // exec.error, where a failure behind the gate is told
  bool past_gate;
  bool in_cwd;   // the early chdir did it
  int empty;     // detached empty read-only tmpfs for masked directories, -1 until needed
  int proc;      // detached procfs of the new pid namespace for sysctls, -1 until needed
  uint32_t fail_kind;
  char detail[DETAIL_SIZE];
  struct list sources;  // paths that op_open_sources opened
  int source_fds[MAX_SOURCES];
  const char *beneath[MAX_BENEATH];  // paths that op_open_beneath opened
  int beneath_fds[MAX_BENEATH];
  uint32_t beneath_count;
  const struct trees *trees;  // made before the clone
  uint32_t next_tree;
  char exec_path[4096];
  char home[256];  // "HOME=…" that op_home found, "" without it
  char state[STATE_SIZE];  // state JSON for hooks, from the caller
};

// The same with "HOME=…" of op_home in place of an empty one.
const char **exec_environment(struct run *run, struct list env);
// A NULL-terminated array for execve, mapped for it; NULL without memory.
const char **exec_pointers(struct list list);
// Default dispositions, nothing blocked.
void exec_reset_signals(void);

typedef int op_function(struct run *run, struct cursor *fields);

// Adds "what 'path'" to the failure that is about to be returned; returns `error`.
int fail_at(struct run *run, int error, const char *what, const char *path);

// Executes every operation in order; errno and the failed one's index in `index`.
int run_operations(struct run *run, uint32_t *index);

op_function op_cgroup_join, op_unshare, op_setns, op_propagation, op_root_overlay, op_root_bind, op_mount_fs, op_mount_bind,
    op_mknod, op_symlink, op_mask, op_readonly, op_root_readonly, op_pivot, op_hostname, op_domainname, op_lo_up, op_sysctl,
    op_stdio, op_rlimit, op_oom_score_adj, op_drop_bounding, op_ids, op_capset, op_umask, op_chdir, op_mkdir_all,
    op_no_new_privs, op_seccomp, op_find_exec, op_exec, op_personality, op_scheduler, op_ioprio, op_keyring, op_await_maps,
    op_root_propagation, op_join_target, op_set_attr,
    op_gate, op_sync, op_hook, op_seccomp_notify, op_mapped_root, op_open_sources,
    op_root_open, op_chroot, op_mount_copy_up, op_write_self, op_mount_mapped, op_root_mapped, op_affinity,
    op_memory_policy, op_home, op_open_beneath, op_runtime, op_adopt, op_leave;

#endif
