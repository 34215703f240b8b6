// The table of operations and the loop over them. Codes are the wire's: packages/core/src/plan/ops.ts has the same order.
#include "run.h"
#include "sys.h"
#include "text.h"

static op_function *const OPERATIONS[] = {
    NULL,
    op_cgroup_join,      // 1
    op_unshare,          // 2
    op_setns,            // 3
    op_propagation,      // 4
    op_root_overlay,     // 5
    op_root_bind,        // 6
    op_mount_fs,         // 7
    op_mount_bind,       // 8
    op_mknod,            // 9
    op_symlink,          // 10
    op_mask,             // 11
    op_readonly,         // 12
    op_root_readonly,    // 13
    op_pivot,            // 14
    op_hostname,         // 15
    op_domainname,       // 16
    op_lo_up,            // 17
    op_sysctl,           // 18
    op_stdio,            // 19
    op_rlimit,           // 20
    op_oom_score_adj,    // 21
    op_drop_bounding,    // 22
    op_ids,              // 23
    op_capset,           // 24
    op_umask,            // 25
    op_chdir,            // 26
    op_mkdir_all,        // 27
    op_no_new_privs,     // 28
    op_seccomp,          // 29
    op_find_exec,        // 30
    op_exec,             // 31
    op_personality,      // 32
    op_scheduler,        // 33
    op_ioprio,           // 34
    op_keyring,          // 35
    op_await_maps,       // 36
    op_root_propagation, // 37
    op_join_target,      // 38
    op_set_attr,         // 39
    op_gate,             // 40
    op_sync,             // 41
    op_hook,             // 42
    op_seccomp_notify,   // 43, OP_SECCOMP_NOTIFY
    op_mapped_root,      // 44
    op_open_sources,     // 45
    op_root_open,        // 46
    op_chroot,           // 47
    op_mount_copy_up,    // 48
    op_write_self,       // 49
    op_mount_mapped,     // 50, OP_MOUNT_MAPPED
    op_root_mapped,      // 51, OP_ROOT_MAPPED
    op_affinity,         // 52
    op_memory_policy,    // 53
    op_home,             // 54
    op_open_beneath,     // 55, OP_OPEN_BENEATH
    op_runtime,          // 56
    op_adopt,            // 57
    op_leave,            // 58
};

#define OPERATION_COUNT (sizeof OPERATIONS / sizeof OPERATIONS[0])

int fail_at(struct run *run, int error, const char *what, const char *path) {
  struct text t = text_in(run->detail, sizeof run->detail);
  text_add(&t, what);
  if (path[0] == 0) return error;
  text_add(&t, " \"");
  text_add(&t, path);
  text_add(&t, "\"");
  return error;
}

int run_operations(struct run *run, uint32_t *index) {
  struct cursor ops = run->plan->ops;
  struct cursor fields;
  uint32_t code;
  for (*index = 0; plan_next(&ops, &code, &fields); (*index)++) {
    if (code == 0 || code >= OPERATION_COUNT) return ENOSYS;
    int error = OPERATIONS[code](run, &fields);
    if (error != 0) return error;
  }
  return EBADMSG;  // a plan ends with op_exec, which does not come back
}
