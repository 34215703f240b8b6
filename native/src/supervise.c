// The supervisor's event loop: output to log and clients, input from clients, control frames, the end. See supervisor.h.
#include <linux/poll.h>
#include <linux/wait.h>

#include "client.h"
#include "log.h"
#include "oom.h"
#include "supervisor.h"
#include "sys.h"
#include "text.h"

#define READ_SIZE 32768
#define SIGKILL 9
#define TIOCSWINSZ_REQUEST 0x5414
#define DRAIN_WAIT_NS 2000000000U
#define GOODBYE_NS 1000000000U
#define FIRST_CLIENT 6
#define MAX_POLL (MAX_CLIENTS + FIRST_CLIENT)

static struct supervisor *self;
static char chunk[READ_SIZE];

struct window {
  uint16_t rows, cols, xpixel, ypixel;
};

static void close_once(int *fd) {
  if (*fd >= 0) (void)sys_close(*fd);
  *fd = -1;
}

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void answer(struct client *c, uint32_t request, int error) {
  uint32_t words[2] = {__builtin_bswap32(request), __builtin_bswap32((uint32_t)error)};
  if (error == 0) client_send(c, FRAME_OK, words, 4);
  else client_send(c, FRAME_ERROR, words, 8);
}

static void send_exit(struct client *c) {
  bool oom = (self->status.flags & STATUS_OOM) != 0;
  uint32_t words[3] = {__builtin_bswap32(self->status.exit_code), __builtin_bswap32(self->status.signal),
                       __builtin_bswap32(oom ? 1 : 0)};
  client_send(c, FRAME_EXIT, words, sizeof words);
  c->waiting = false;
}

static int send_signal(uint32_t signal) {
  if (self->exited) return ESRCH;
  if (signal > 64) return EINVAL;
  int error = (int)-sys4(__NR_pidfd_send_signal, self->child, signal, NULL, 0);
  // A frozen v1 cgroup does not even die: thaw it.
  if (error == 0 && signal == SIGKILL && self->status.state == STATE_PAUSED) (void)set_frozen(self, false);
  return error;
}

// What a program holds dies with the program: its connection is the leash.
static void mind_leash(void) {
  if ((self->plan.flags & PLAN_LEASHED) == 0 || self->exited) return;
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd >= 0 && clients[i].owner) return;
  }
  (void)send_signal(SIGKILL);
}

static int resize(const uint8_t *payload, uint32_t length) {
  if (length != 4) return EINVAL;
  struct window size = {(uint16_t)(payload[0] << 8 | payload[1]), (uint16_t)(payload[2] << 8 | payload[3]), 0, 0};
  if ((self->plan.flags & PLAN_PTY) == 0 || self->in < 0) return 0;
  return (int)-sys3(__NR_ioctl, self->in, TIOCSWINSZ_REQUEST, &size);
}

static int freeze(bool frozen) {
  if (self->exited) return ESRCH;
  if ((self->status.state == STATE_PAUSED) == frozen) return EALREADY;
  int error = set_frozen(self, frozen);
  if (error != 0) return error;
  self->status.state = frozen ? STATE_PAUSED : STATE_RUNNING;
  return status_write(self->dir, &self->status);
}

static int pause_by(struct client *c, uint32_t flags) {
  int error = freeze(true);
  c->pauses = error == 0 && (flags & PAUSE_HELD) != 0;
  return error;
}

static void leave(void) {
  guard_dismiss(self);
  lap_exit(0);
}

void handle_frame(struct client *c, uint32_t type, uint32_t flags, const uint8_t *payload, uint32_t length) {
  switch (type) {
    case FRAME_ATTACH: c->streams = flags; c->waiting = true; answer(c, type, 0); break;
    case FRAME_STDIN_EOF: c->stdin_ended = true; break;
    case FRAME_RESIZE: answer(c, type, resize(payload, length)); break;
    case FRAME_SIGNAL: answer(c, type, length == 4 ? send_signal(big_endian(payload)) : EINVAL); break;
    case FRAME_WAIT: c->waiting = true; break;
    case FRAME_WATCH: c->watching = true; break;
    case FRAME_PAUSE: answer(c, type, pause_by(c, flags)); break;
    case FRAME_RESUME:
      c->pauses = false;
      answer(c, type, freeze(false));
      break;
    case FRAME_GUARD: self->plan.flags |= PLAN_GUARDED; guard_start(self); answer(c, type, 0); break;
    case FRAME_REAPED: if (c->owner) leave(); break;
    default: client_close(c);
  }
}

static bool stdin_once(void) { return (self->plan.flags & (PLAN_STDIN_ONCE | PLAN_PTY)) == PLAN_STDIN_ONCE; }

void handle_gone(struct client *c) {
  if (c->pauses && self->status.state == STATE_PAUSED) (void)freeze(false);
  if ((c->streams & CLIENT_STDIN) != 0 && stdin_once()) close_once(&self->in);
}

// Input nobody can take any more is thrown away, with credit, so that the client comes to its end.
static void pump_input(struct client *c) {
  uint32_t length;
  const uint8_t *at = client_input(c, &length);
  while (length > 0) {
    long done = self->in < 0 ? (long)length : sys_write(self->in, at, length);
    if (done == -EAGAIN) return;
    if (done < 0 && done != -EINTR) close_once(&self->in);
    if (done > 0) client_input_done(c, (uint32_t)done);
    at = client_input(c, &length);
  }
  if (c->stdin_ended && stdin_once()) close_once(&self->in);
}

static void pump_output(int index) {
  long got = sys_read(self->out[index], chunk, sizeof chunk);
  if (got == -EAGAIN || got == -EINTR) return;
  if (got <= 0) {  // EIO is a pty's end
    close_once(&self->out[index]);
    return;
  }
  log_add(index + 1, chunk, (size_t)got);
  clients_output(index + 1, chunk, (uint32_t)got);
}

static void accept_client(void) {
  int fd = (int)sys4(__NR_accept4, self->listener, NULL, NULL, LAP_O_CLOEXEC | LAP_O_NONBLOCK);
  if (fd >= 0) (void)client_add(fd, false);
}

static void record_exit(int32_t code, int32_t status) {
  struct status *record = &self->status;
  bool signaled = code != 1 /* CLD_EXITED */;
  record->signal = signaled ? (uint32_t)status : 0;
  record->exit_code = signaled ? 128U + (uint32_t)status : (uint32_t)status;
  record->finished_ns = now_ns();
  record->state = STATE_EXITED;
  if (oom_kills(self) > self->oom_base) record->flags |= STATUS_OOM;
  self->exited = true;
}

// siginfo_t of waitid(2), the fields that matter here.
struct wait_info {
  int32_t signal, error, code, padding, pid, uid, status;
  int32_t rest[25];
};

static void reap_children(void) {
  uint64_t ignored[16];
  (void)sys_read(self->signals, ignored, sizeof ignored);
  for (;;) {
    struct wait_info info = {0};
    long ret = sys5(__NR_waitid, 0 /* P_ALL */, 0, &info, WEXITED | WNOHANG, NULL);
    if (ret < 0 || info.pid == 0) return;
    if ((uint32_t)info.pid == self->status.pid) record_exit(info.code, info.status);
  }
}

static size_t watch(struct pollfd *set, size_t n, int fd, short events) {
  set[n] = (struct pollfd){.fd = fd, .events = events, .revents = 0};
  return n + 1;
}

static bool input_waiting(void) {
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd >= 0 && clients[i].in.length > 0) return true;
  }
  return false;
}

static size_t watch_all(struct pollfd *set) {
  bool full = clients_congested();
  size_t n = watch(set, 0, self->signals, POLLIN);
  n = watch(set, n, self->listener, POLLIN);
  n = watch(set, n, full ? -1 : self->out[0], POLLIN);
  n = watch(set, n, full ? -1 : self->out[1], POLLIN);
  n = watch(set, n, input_waiting() ? self->in : -1, POLLOUT);
  n = watch(set, n, self->oom, oom_events(self));
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    short events = (short)(clients[i].out.length > 0 ? POLLIN | POLLOUT : POLLIN);
    n = watch(set, n, clients[i].fd, events);
  }
  return n;
}

static void serve_clients(const struct pollfd *set) {
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    struct client *c = &clients[i];
    if (c->fd < 0 || c->fd != set[i].fd) continue;
    if ((set[i].revents & POLLOUT) != 0) client_flush(c);
    if (c->fd >= 0 && (set[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) client_receive(c);
  }
}

static void poll_once(int64_t timeout_ns) {
  struct pollfd set[MAX_POLL];
  struct {
    int64_t seconds, nanoseconds;
  } time = {timeout_ns / 1000000000, timeout_ns % 1000000000};
  size_t n = watch_all(set);
  long ready = sys5(__NR_ppoll, set, n, timeout_ns < 0 ? NULL : &time, NULL, 8);
  if (ready <= 0) return;
  if (set[0].revents != 0) reap_children();
  if (set[1].revents != 0) accept_client();
  if (set[2].revents != 0) pump_output(0);
  if (set[3].revents != 0) pump_output(1);
  if ((set[5].revents & (POLLPRI | POLLIN)) != 0) oom_note(self);
  serve_clients(set + FIRST_CLIENT);
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd >= 0) pump_input(&clients[i]);
  }
}

static int64_t wait_time(void) {
  return clients_drained() ? -1 : 1000000000;
}

// What the container left in its pipes; another process may still hold them open, so empty is as good as closed.
static bool output_left(void) {
  struct pollfd set[2] = {{self->out[0], POLLIN, 0}, {self->out[1], POLLIN, 0}};
  struct {
    int64_t seconds, nanoseconds;
  } now = {0, 0};
  return sys5(__NR_ppoll, set, 2, &now, NULL, 8) > 0;
}

static void drain(void) {
  uint64_t began = now_ns();
  bool recorded = false;
  while (output_left() || !clients_drained()) {
    uint64_t now = now_ns();
    clients_drop_stalled(now);
    if (!recorded && now - began > DRAIN_WAIT_NS) {
      (void)status_write(self->dir, &self->status);
      recorded = true;
    }
    poll_once(100000000);
  }
  close_once(&self->out[0]);
  close_once(&self->out[1]);
  close_once(&self->in);
  log_finish();
  (void)status_write(self->dir, &self->status);
}

static void tell_exit(void) {
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd >= 0 && clients[i].waiting) send_exit(&clients[i]);
  }
}

// The owner may take its time to clean up. Others get a moment to read to the end: closing a socket with input of theirs
// unread would reset it and lose the exit frame.
static bool clients_linger(uint64_t since) {
  bool patient = now_ns() - since < GOODBYE_NS;
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd >= 0 && (clients[i].owner || (patient && !clients[i].watching))) return true;
  }
  return false;
}

static void set_nonblocking(int fd) {
  if (fd < 0) return;
  long flags = sys2(__NR_fcntl, fd, 3 /* F_GETFL */);
  (void)sys3(__NR_fcntl, fd, 4 /* F_SETFL */, flags | LAP_O_NONBLOCK);
}

void supervise(struct supervisor *s) {
  self = s;
  oom_watch(s);
  set_nonblocking(s->out[0]);
  set_nonblocking(s->out[1]);
  set_nonblocking(s->in);
  while (!s->exited) {
    mind_leash();
    poll_once(wait_time());
    clients_drop_stalled(now_ns());
  }
  drain();
  tell_exit();
  (void)sys3(__NR_unlinkat, s->dir, "ctl.sock", 0);
  close_once(&s->listener);
  uint64_t since = now_ns();
  while (clients_linger(since)) {
    poll_once(100000000);
    clients_drop_stalled(now_ns());
    tell_exit();
  }
}
