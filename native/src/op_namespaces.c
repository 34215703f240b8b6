// Operations on cgroups, namespaces and the names that live in them: cgroups(7), namespaces(7), netdevice(7).
#include <linux/if.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sockios.h>

#include "run.h"
#include "status.h"
#include "sys.h"
#include "text.h"

// "0" moves the writing thread itself. On `tasks` that skips the global threadgroup lock that writing a pid, or anything
// to cgroup.procs, takes (8 ms per start, measured): this process has one thread, so the two mean the same.
int op_cgroup_join(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  int error = f->bad ? EBADMSG : write_file(path, "0");
  return error == 0 ? 0 : fail_at(run, error, "join cgroup", path);
}

int op_unshare(struct run *run, struct cursor *f) {
  (void)run;
  uint32_t flags = get_u32(f);
  return f->bad ? EBADMSG : (int)-sys1(__NR_unshare, flags);
}

int op_setns(struct run *run, struct cursor *f) {
  uint32_t type = get_u32(f);
  const char *path = get_str(f);
  if (f->bad) return EBADMSG;
  AUTO_FD fd = sys_open(path, LAP_O_RDONLY, 0);
  if (fd < 0) return fail_at(run, -fd, "open namespace", path);
  long ret = sys2(__NR_setns, fd, type);
  return ret < 0 ? fail_at(run, (int)-ret, "join namespace", path) : 0;
}

int op_hostname(struct run *run, struct cursor *f) {
  (void)run;
  const char *name = get_str(f);
  return f->bad ? EBADMSG : (int)-sys2(__NR_sethostname, name, text_length(name));
}

int op_domainname(struct run *run, struct cursor *f) {
  (void)run;
  const char *name = get_str(f);
  return f->bad ? EBADMSG : (int)-sys2(__NR_setdomainname, name, text_length(name));
}

int op_lo_up(struct run *run, struct cursor *f) {
  (void)run;
  (void)f;
  AUTO_FD fd = (int)sys3(__NR_socket, 2 /* AF_INET */, 2 /* SOCK_DGRAM */ | LAP_O_CLOEXEC, 0);
  if (fd < 0) return -fd;
  struct ifreq request = {.ifr_name = "lo"};
  request.ifr_flags = IFF_UP;
  return (int)-sys3(__NR_ioctl, fd, SIOCSIFFLAGS, &request);
}

int op_await_maps(struct run *run, struct cursor *f) {
  (void)f;
  char go;
  long got = sys_read(run->report, &go, 1);
  if (got != 1) return got < 0 ? (int)-got : EPIPE;
  return 0;
}

// From here on this process owns what it makes inside; what only the host's root may open was opened before.
int op_mapped_root(struct run *run, struct cursor *f) {
  (void)f;
  (void)sys5(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  long ret = sys3(__NR_setresgid, 0, 0, 0);
  if (ret == 0) ret = sys3(__NR_setresuid, 0, 0, 0);
  return ret < 0 ? fail_at(run, (int)-ret, "become root of the user namespace", "") : 0;
}

// The namespaces of a process in the order of joining: the user namespace grants the right to the others.
static const struct {
  uint64_t flag;
  const char *file;
} NAMESPACES[] = {
    {CLONE_NEWUSER, "ns/user"}, {CLONE_NEWNET, "ns/net"},       {CLONE_NEWIPC, "ns/ipc"},   {CLONE_NEWUTS, "ns/uts"},
    {CLONE_NEWTIME, "ns/time"}, {CLONE_NEWCGROUP, "ns/cgroup"}, {CLONE_NEWNS, "ns/mnt"},
};
#define NAMESPACE_COUNT (sizeof NAMESPACES / sizeof NAMESPACES[0])

static bool started_at(int process, uint64_t since) {
  char line[1024];
  AUTO_FD fd = sys_openat(process, "stat", LAP_O_RDONLY, 0);
  long got = fd < 0 ? -1 : sys_read(fd, line, sizeof line - 1);
  if (got <= 0) return false;
  line[got] = 0;
  return start_time_in(line, got) == since;
}

static int open_namespaces(int process, uint32_t flags, int fds[]) {
  for (size_t i = 0; i < NAMESPACE_COUNT; i++) {
    fds[i] = -1;
    if ((flags & NAMESPACES[i].flag) == 0) continue;
    fds[i] = sys_openat(process, NAMESPACES[i].file, LAP_O_RDONLY, 0);
    if (fds[i] < 0) return -fds[i];
  }
  return 0;
}

// The open /proc/PID directory stays that process's: once it is gone its files answer ESRCH, a reused pid is never joined.
int op_join_target(struct run *run, struct cursor *f) {
  char path[40];
  int fds[NAMESPACE_COUNT];
  uint32_t pid = get_u32(f);
  uint64_t since = get_u64(f);
  uint32_t flags = get_u32(f);
  if (f->bad) return EBADMSG;
  struct text t = text_in(path, sizeof path);
  text_add(&t, "/proc/");
  text_add_number(&t, pid);
  AUTO_FD process = sys_open(path, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  if (process < 0 || !started_at(process, since)) return fail_at(run, ESRCH, "the container is not running", "");
  int error = open_namespaces(process, flags, fds);
  for (size_t i = 0; error == 0 && i < NAMESPACE_COUNT; i++) {
    if (fds[i] >= 0) error = (int)-sys2(__NR_setns, fds[i], NAMESPACES[i].flag);
  }
  if (error != 0) return fail_at(run, error, "join the container's namespaces", "");
  run->root = sys_open("/", LAP_O_PATH | LAP_O_DIRECTORY, 0);
  return run->root < 0 ? -run->root : 0;
}
