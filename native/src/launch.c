// From a plan to a running first process: stdio, the process (clone.c), what it reports. See supervisor.h for the picture.
#include "child.h"
#include "client.h"
#include "idmap.h"
#include "local.h"
#include "notify.h"
#include "supervisor.h"
#include "sys.h"
#include "text.h"

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
  for (int i = 0; i < 3; i++) close_once(&s->stdio[i]);
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
  (void)wait_pidfd(s->child, NULL);
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
  long pid = clone_first(s, pair[1], &s->child);
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
