// The first process: clone3(2) within the namespaces that have to be joined before it, and what it runs.
#include <linux/sched.h>

#include "child.h"
#include "client.h"
#include "run.h"
#include "supervisor.h"
#include "sys.h"
#include "text.h"

// What is the supervisor's alone: the first process may wait at the gate for long. Its end of the channel and its caller's socket
// too: who waits for the other side of them learns of its death by their end.
static void drop_supervision(struct supervisor *s) {
  int caller = s->caller == NULL ? -1 : s->caller->fd;
  int fds[] = {3 /* the plan, which stays mapped */, s->dir, s->signals, s->listener, s->in, s->out[0], s->out[1],
               s->report, caller};
  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
    if (fds[i] >= 0) (void)sys_close(fds[i]);
  }
}

// The first process: runs the operations; comes back only with a failure, which it reports.
static void child_main(struct supervisor *s, int report) {
  static struct run run;
  struct channel_message message = {.kind = CHANNEL_FAILED};
  run.plan = &s->plan;
  run.report = report;
  run.root = run.empty = run.proc = -1;
  run.trees = &s->trees;
  run.gate = s->gate;
  run.failed = s->failed;
  for (int i = 0; i < 3; i++) run.stdio[i] = s->stdio[i];
  drop_supervision(s);
  (void)sys1(__NR_umask, 0);  // modes in the plan are exact; it sets the program's mask at the end
  int error = run_operations(&run, &message.op_index);
  message.error = (uint32_t)error;
  message.fail_kind = run.fail_kind;
  copy_bytes(message.detail, run.detail, sizeof message.detail);
  if (run.past_gate) (void)write_all(run.failed, &message, sizeof message);
  else (void)channel_send(report, &message);
  lap_exit(127);
}

static long clone_child(struct supervisor *s, int report, int *pidfd) {
  struct clone_args args = {.flags = s->plan.clone_flags | CLONE_PIDFD, .exit_signal = SIGCHLD};
  AUTO_FD cgroup = -1;
  args.pidfd = (uint64_t)(uintptr_t)pidfd;
  if ((args.flags & CLONE_PARENT) != 0) args.exit_signal = 0;  // clone3 wants that; the parent's own is taken
  if (s->plan.cgroup_v2[0] != 0) {
    cgroup = sys_open(s->plan.cgroup_v2, LAP_O_PATH | LAP_O_DIRECTORY, 0);
    if (cgroup < 0) return cgroup;
    args.cgroup = (__u64)(unsigned)cgroup;
    args.flags |= CLONE_INTO_CGROUP;
  }
  long pid = sys2(__NR_clone3, &args, sizeof args);
  if (pid == 0) {
    if (cgroup >= 0) (void)sys_close(cgroup);
    child_main(s, report);
  }
  return pid;
}

static int join(const char *path, int type) {
  if (path[0] == 0) return 0;
  AUTO_FD fd = sys_open(path, LAP_O_RDONLY, 0);
  return fd < 0 ? -fd : (int)-sys2(__NR_setns, fd, type);
}

static int join_early(struct list paths) {
  int error = 0;
  for (uint32_t i = 0; error == 0 && i < paths.count; i++) error = join(get_str(&paths.items), 0);
  return error;
}

// Joins the namespaces and gives the supervisor a further child: with CLONE_PARENT it is its brother.
static void be_go_between(struct supervisor *s, int report, int answer) {
  int pidfd = -1;
  // What belongs to the machine is joined while this is its root.
  int error = join_early(s->plan.early_ns);
  if (error == 0) error = join(s->plan.user_ns, CLONE_NEWUSER);
  if (error == 0) error = join(s->plan.pid_ns, CLONE_NEWPID);
  s->plan.clone_flags |= CLONE_PARENT;
  int64_t pid = error != 0 ? -error : clone_child(s, report, &pidfd);
  (void)write_all(answer, &pid, sizeof pid);
  lap_exit(0);
}

// A user namespace cannot be left again, so a process in between joins it: user_namespaces(7), setns(2).
static long clone_through(struct supervisor *s, int report, int *pidfd) {
  int pair[2];
  int64_t pid = -EPIPE;
  struct clone_args args = {.exit_signal = SIGCHLD};
  long ret = sys2(__NR_pipe2, pair, LAP_O_CLOEXEC);
  if (ret < 0) return ret;
  AUTO_FD from = pair[0];
  long between = sys2(__NR_clone3, &args, sizeof args);
  if (between == 0) be_go_between(s, report, pair[1]);
  (void)sys_close(pair[1]);
  if (between < 0) return between;
  if (sys_read(from, &pid, sizeof pid) != sizeof pid) pid = -EPIPE;
  (void)wait_child(between, NULL);
  if (pid > 0) *pidfd = (int)sys2(__NR_pidfd_open, pid, 0);
  return pid > 0 && *pidfd < 0 ? *pidfd : pid;
}

// A pid namespace is joined by the parent, for its children (pid_namespaces(7)), and left again at once.
long clone_first(struct supervisor *s, int report, int *pidfd) {
  if (s->plan.user_ns[0] != 0 || s->plan.early_ns.count > 0) return clone_through(s, report, pidfd);
  if (s->plan.pid_ns[0] == 0) return clone_child(s, report, pidfd);
  AUTO_FD own = sys_open("/proc/self/ns/pid", LAP_O_RDONLY, 0);
  AUTO_FD other = sys_open(s->plan.pid_ns, LAP_O_RDONLY, 0);
  if (own < 0 || other < 0) return own < 0 ? own : other;
  long ret = sys2(__NR_setns, other, CLONE_NEWPID);
  if (ret < 0) return ret;
  long pid = clone_child(s, report, pidfd);
  ret = sys2(__NR_setns, own, CLONE_NEWPID);
  return ret < 0 ? ret : pid;
}
