// Operations on cgroups, namespaces and the names that live in them: cgroups(7), namespaces(7), netdevice(7).
#include <linux/if.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sockios.h>

#include "run.h"
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
  return (int)-sys3(__NR_setresuid, 0, 0, 0) ? EPERM : (int)-sys3(__NR_setresgid, 0, 0, 0);
}
