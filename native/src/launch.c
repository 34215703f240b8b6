// From a plan to a running first process: stdio, clone3(2), the operations, the report. See supervisor.h for the picture.
#include <linux/sched.h>
#include <linux/wait.h>

#include "client.h"
#include "idmap.h"
#include "local.h"
#include "notify.h"
#include "run.h"
#include "supervisor.h"
#include "sys.h"
#include "text.h"

#define SIGCHLD 17

// Inside a user namespace the pipes must belong to its root, or /dev/stdout could not be opened there.
static void give_to_mapped_root(struct supervisor *s, int fd) {
  struct list map = s->plan.uid_map;
  if (map.count < 3 || fd < 0) return;
  uint32_t inside = get_u32(&map.items);
  uint32_t outside = get_u32(&map.items);
  if (inside == 0) (void)sys3(__NR_fchown, fd, outside, outside);
}

int make_stdio(struct supervisor *s) {
  int pair[2];
  bool pty = (s->plan.flags & PLAN_PTY) != 0;
  for (int i = 0; i < 3; i++) s->stdio[i] = -1;
  if (pty || (s->plan.flags & PLAN_INHERIT) != 0) return 0;
  for (int i = 1; i < 3; i++) {
    long ret = sys2(__NR_pipe2, pair, LAP_O_CLOEXEC);
    if (ret < 0) return (int)-ret;
    s->out[i - 1] = pair[0];
    s->stdio[i] = pair[1];
    give_to_mapped_root(s, pair[1]);
  }
  if ((s->plan.flags & PLAN_OPEN_STDIN) == 0) {
    s->stdio[0] = sys_open("/dev/null", LAP_O_RDONLY, 0);
    return s->stdio[0] < 0 ? -s->stdio[0] : 0;
  }
  long ret = sys2(__NR_pipe2, pair, LAP_O_CLOEXEC);
  if (ret < 0) return (int)-ret;
  s->stdio[0] = pair[0];
  give_to_mapped_root(s, pair[0]);
  s->in = pair[1];
  return 0;
}

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
  (void)sys5(__NR_waitid, 1 /* P_PID */, between, NULL, WEXITED, NULL);
  if (pid > 0) *pidfd = (int)sys2(__NR_pidfd_open, pid, 0);
  return pid > 0 && *pidfd < 0 ? *pidfd : pid;
}

// A pid namespace is joined by the parent, for its children (pid_namespaces(7)), and left again at once.
static long clone_in_namespace(struct supervisor *s, int report, int *pidfd) {
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

static int take_master(struct supervisor *s, int fd) {
  s->out[0] = fd;
  s->in = (int)sys3(__NR_fcntl, fd, 1030 /* F_DUPFD_CLOEXEC */, 3);
  return s->in < 0 ? -s->in : 0;
}

// The pty's master goes to whoever listens on the console socket (runc's terminals.md), else the supervisor keeps it.
static int hand_over_master(struct supervisor *s, int master) {
  if (s->plan.console_socket[0] == 0) return take_master(s, master);
  AUTO_FD fd = master;
  AUTO_FD socket = connect_to(s->plan.console_socket);
  if (socket < 0) return -socket;
  return send_descriptor(socket, fd, "/dev/ptmx", 9);
}

// Whoever listens on the pidfd socket can signal the process, and wait for it, without its pid (runc's --pidfd-socket).
static int hand_over_pidfd(const struct supervisor *s) {
  if (s->plan.pidfd_socket[0] == 0) return 0;
  AUTO_FD socket = connect_to(s->plan.pidfd_socket);
  return socket < 0 ? -socket : send_descriptor(socket, s->child, "pidfd", 5);
}

// Hooks of the caller's namespaces run in the caller: it gets the pid, runs them and answers with the state for the others.
static int relay_sync(struct supervisor *s, int report, uint32_t stage) {
  uint32_t words[2] = {__builtin_bswap32(s->status.pid), __builtin_bswap32(stage)};
  uint32_t length;
  if (s->caller == NULL) return EPIPE;
  client_send(s->caller, FRAME_SYNC, words, sizeof words);
  const uint8_t *state = client_await(s->caller, FRAME_GO, &length);
  return state == NULL ? ECANCELED : write_all(report, state, length);
}

// Another runtime made the container: its first process, whose parent has gone, is the supervisor's child now.
static int adopt(struct supervisor *s, uint32_t pid) {
  int child = (int)sys2(__NR_pidfd_open, pid, 0);
  if (child < 0) return -child;
  (void)sys_close(s->child);
  s->child = child;
  s->status.pid = pid;
  s->status.pid_start = start_time(pid);
  return 0;
}

// The end of the channel means that exec closed it: the program runs. Who adopts is told that it does.
static int await_exec(struct supervisor *s, int report, struct channel_message *message) {
  bool adopted = false;
  for (;;) {
    int fd = -1;
    int got = channel_receive(report, message, &fd);
    if (got <= 0) return got < 0 ? -got : adopted ? EPIPE : 0;
    if (message->kind == CHANNEL_FAILED) return message->error == 0 ? EPROTO : (int)message->error;
    int error = 0;
    if (message->kind == CHANNEL_READY) return 0;
    if (message->kind == CHANNEL_MASTER && fd >= 0) error = hand_over_master(s, fd);
    if (message->kind == CHANNEL_LISTENER && fd >= 0) error = hand_over_listener(&s->plan, s->status.pid, fd, message);
    if (message->kind == CHANNEL_ADOPT) error = adopt(s, message->op_index);
    adopted = adopted || message->kind == CHANNEL_ADOPT;
    if (message->kind == CHANNEL_SYNC) error = relay_sync(s, report, message->op_index);
    if (error != 0) return error;
  }
}

static void close_child_ends(struct supervisor *s) {
  for (int i = 0; i < 3; i++) {
    if (s->stdio[i] >= 0) (void)sys_close(s->stdio[i]);
    s->stdio[i] = -1;
  }
}

static void set_detail(struct channel_message *message, const char *detail) {
  struct text t = text_in(message->detail, sizeof message->detail);
  text_add(&t, detail);
}

static void set_details(struct channel_message *message, const char *what, const char *path) {
  struct text t = text_in(message->detail, sizeof message->detail);
  text_add(&t, what);
  text_add(&t, " \"");
  text_add(&t, path);
  text_add(&t, "\"");
}

static void kill_child(struct supervisor *s) {
  (void)sys4(__NR_pidfd_send_signal, s->child, 9, NULL, 0);
  (void)sys5(__NR_waitid, 3 /* P_PIDFD */, s->child, NULL, WEXITED, NULL);
}

int launch_container(struct supervisor *s, struct channel_message *message) {
  int pair[2];
  const char *detail = "";
  int error = trees_make(&s->plan, &s->trees, &detail);
  if (error != 0) set_details(message, "map the ids of", detail);
  if (error == 0) error = channel_pair(pair);
  if (error != 0) return error;
  AUTO_FD report = pair[0];
  s->report = report;
  long pid = clone_in_namespace(s, pair[1], &s->child);
  (void)sys_close(pair[1]);
  close_child_ends(s);
  trees_close(&s->trees);
  if (pid < 0) {
    set_detail(message, "clone");
    return (int)-pid;
  }
  s->status.pid = (uint32_t)pid;
  s->status.pid_start = start_time((uint32_t)pid);
  error = write_id_maps(&s->plan, (uint64_t)pid);
  if (error == 0 && s->plan.uid_map.count > 0) error = write_all(report, "g", 1);
  if (error != 0) set_detail(message, "write id maps");
  else if ((error = hand_over_pidfd(s)) != 0) set_details(message, "send the pidfd to", s->plan.pidfd_socket);
  else error = await_exec(s, report, message);
  if (error != 0) kill_child(s);
  return error;
}
