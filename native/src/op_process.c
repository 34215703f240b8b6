// Operations on the process itself: limits, capabilities, ids, filter. Order matters and is the plan's business:
// credentials(7), capabilities(7), prctl(2).
#include <linux/capability.h>
#include <linux/prctl.h>

#include "run.h"
#include "sys.h"
#include "text.h"

#define MAX_GROUPS 65536U

int op_rlimit(struct run *run, struct cursor *f) {
  uint32_t resource = get_u32(f);
  uint64_t limit[2] = {get_u64(f), get_u64(f)};
  if (f->bad) return EBADMSG;
  long ret = sys4(__NR_prlimit64, 0, resource, limit, NULL);
  return ret < 0 ? fail_at(run, (int)-ret, "set resource limit", "") : 0;
}

int op_oom_score_adj(struct run *run, struct cursor *f) {
  const char *value = get_str(f);
  if (f->bad) return EBADMSG;
  int error = write_file("/proc/self/oom_score_adj", value);
  return error == 0 ? 0 : fail_at(run, error, "set oom_score_adj", value);
}

// Capabilities the kernel does not know yet answer EINVAL: they end the loop.
int op_drop_bounding(struct run *run, struct cursor *f) {
  (void)run;
  uint64_t keep = get_u64(f);
  if (f->bad) return EBADMSG;
  for (unsigned cap = 0; cap < 64; cap++) {
    if ((keep >> cap & 1U) != 0) continue;
    long ret = sys2(__NR_prctl, PR_CAPBSET_DROP, cap);
    if (ret == -EINVAL) return 0;
    if (ret < 0) return (int)-ret;
  }
  return 0;
}

static int set_groups(struct list groups) {
  static uint32_t ids[MAX_GROUPS];
  if (groups.count > MAX_GROUPS) return EINVAL;
  for (uint32_t i = 0; i < groups.count; i++) ids[i] = get_u32(&groups.items);
  return (int)-sys2(__NR_setgroups, groups.count, ids);
}

int op_ids(struct run *run, struct cursor *f) {
  uint32_t uid = get_u32(f);
  uint32_t gid = get_u32(f);
  struct list groups = get_u32s(f);
  uint32_t skip_groups = get_u32(f);
  if (f->bad) return EBADMSG;
  long ret = sys5(__NR_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (ret == 0 && skip_groups == 0) ret = -set_groups(groups);
  if (ret == 0) ret = sys3(__NR_setresgid, gid, gid, gid);
  if (ret == 0) ret = sys3(__NR_setresuid, uid, uid, uid);
  return ret < 0 ? fail_at(run, (int)-ret, "set user and groups", "") : 0;
}

static int raise_ambient(uint64_t ambient) {
  (void)sys5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (unsigned cap = 0; cap < 64; cap++) {
    if ((ambient >> cap & 1U) == 0) continue;
    long ret = sys5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
    if (ret < 0) return (int)-ret;
  }
  return 0;
}

int op_capset(struct run *run, struct cursor *f) {
  uint64_t effective = get_u64(f);
  uint64_t permitted = get_u64(f);
  uint64_t inheritable = get_u64(f);
  uint64_t ambient = get_u64(f);
  if (f->bad) return EBADMSG;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[2] = {
      {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
      {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
  };
  long ret = sys2(__NR_capset, &header, data);
  int error = ret < 0 ? (int)-ret : raise_ambient(ambient);
  return error == 0 ? 0 : fail_at(run, error, "set capabilities", "");
}

// Attributes of the process itself that are files of procfs: label for exec, time offsets.
int op_write_self(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  const char *value = get_str(f);
  if (f->bad) return EBADMSG;
  int error = write_file(path, value);
  return error == 0 ? 0 : fail_at(run, error, "write", path);
}

int op_umask(struct run *run, struct cursor *f) {
  (void)run;
  uint32_t mask = get_u32(f);
  if (f->bad) return EBADMSG;
  (void)sys1(__NR_umask, mask);
  return 0;
}

// CVE-2024-21626: a working directory that is not reachable from "/" belongs to the host; getcwd(2) says so. EPERM and
// ENOSYS are no answers of getcwd: the container's own seccomp profile, already installed, denies it, which is no lie.
// Tried first with every right, as runc does: a program may start in a directory that its user could not enter.
int op_chdir(struct run *run, struct cursor *f) {
  char cwd[4096];
  const char *path = get_str(f);
  uint32_t early = get_u32(f);
  if (f->bad) return EBADMSG;
  long ret = run->in_cwd ? 0 : sys1(__NR_chdir, path);
  run->in_cwd = ret == 0;
  if (early != 0 && (ret == 0 || ret == -EACCES || ret == -EPERM)) return 0;
  if (ret < 0) return fail_at(run, (int)-ret, "chdir to cwd", path);
  ret = sys2(__NR_getcwd, cwd, sizeof cwd);
  if (ret == -EPERM || ret == -ENOSYS) return 0;
  if (ret < 0 || cwd[0] != '/') return fail_at(run, ENOENT, "current working directory is outside of the container", path);
  return 0;
}

int op_no_new_privs(struct run *run, struct cursor *f) {
  (void)run;
  (void)f;
  return (int)-sys5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int op_personality(struct run *run, struct cursor *f) {
  (void)run;
  uint32_t persona = get_u32(f);
  if (f->bad) return EBADMSG;
  long ret = sys1(__NR_personality, persona);
  return ret < 0 ? (int)-ret : 0;
}

int op_ioprio(struct run *run, struct cursor *f) {
  uint32_t value = get_u32(f);
  if (f->bad) return EBADMSG;
  long ret = sys3(__NR_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, value);
  return ret < 0 ? fail_at(run, (int)-ret, "set io priority", "") : 0;
}

// sched_setattr(2); the structure's first version.
int op_scheduler(struct run *run, struct cursor *f) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attr = {.size = sizeof attr};
  attr.policy = get_u32(f);
  attr.flags = get_u64(f);
  attr.nice = (int32_t)get_u32(f);
  attr.priority = get_u32(f);
  attr.runtime = get_u64(f);
  attr.deadline = get_u64(f);
  attr.period = get_u64(f);
  if (f->bad) return EBADMSG;
  long ret = sys3(__NR_sched_setattr, 0, &attr, 0);
  return ret < 0 ? fail_at(run, (int)-ret, "set scheduler attributes", "") : 0;
}

// The CPUs a process may use; the kernel keeps those of its cgroup. sched_setaffinity(2)
int op_affinity(struct run *run, struct cursor *f) {
  struct bytes mask = get_bytes(f);
  if (f->bad) return EBADMSG;
  long ret = sys3(__NR_sched_setaffinity, 0, mask.length, mask.at);
  return ret < 0 ? fail_at(run, (int)-ret, "set CPU affinity", "") : 0;
}

// set_mempolicy(2); the mode carries its flags.
int op_memory_policy(struct run *run, struct cursor *f) {
  uint32_t mode = get_u32(f);
  struct bytes nodes = get_bytes(f);
  if (f->bad || nodes.length % 8 != 0) return EBADMSG;
  // The kernel reads one bit less than it is told.
  size_t bits = nodes.length == 0 ? 0 : nodes.length * 8 + 1;
  long ret = sys3(__NR_set_mempolicy, mode, nodes.length == 0 ? NULL : nodes.at, bits);
  return ret < 0 ? fail_at(run, (int)-ret, "set memory policy", "") : 0;
}

// A session keyring of its own: the caller's keys stay out of reach (keyrings(7)).
int op_keyring(struct run *run, struct cursor *f) {
  (void)run;
  const char *name = get_str(f);
  if (f->bad) return EBADMSG;
  long ret = sys2(__NR_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, name);
  return ret < 0 && ret != -ENOSYS && ret != -EDQUOT ? (int)-ret : 0;
}
