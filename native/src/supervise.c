// The supervisor's event loop: output to log and clients, input from clients, the end. See supervisor.h; what clients ask is control.c.
#include <linux/poll.h>

#include "child.h"
#include "client.h"
#include "log.h"
#include "oom.h"
#include "supervisor.h"
#include "sys.h"
#include "text.h"

#define READ_SIZE 32768
#define DRAIN_WAIT_NS 2000000000U
#define GOODBYE_NS 1000000000U
#define FIRST_CLIENT 6
#define MAX_POLL (MAX_CLIENTS + FIRST_CLIENT)

static struct supervisor *self;
static char chunk[READ_SIZE];

static void send_exit(struct client *c) {
  bool oom = (self->status.flags & STATUS_OOM) != 0;
  uint32_t words[3] = {__builtin_bswap32(self->status.exit_code), __builtin_bswap32(self->status.signal),
                       __builtin_bswap32(oom ? 1 : 0)};
  client_send(c, FRAME_EXIT, words, sizeof words);
  c->waiting = false;
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
  if (c->stdin_ended && stdin_once(self)) close_once(&self->in);
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

static void record_exit(const struct wait_info *info) {
  struct status *record = &self->status;
  uint32_t status = (uint32_t)info->status;
  record->signal = has_exited(info) ? 0 : status;
  record->exit_code = has_exited(info) ? status : 128U + status;
  record->finished_ns = now_ns();
  record->state = STATE_EXITED;
  if (oom_kills(self) > self->oom_base) record->flags |= STATUS_OOM;
  self->exited = true;
}

static void reap_children(void) {
  uint64_t ignored[16];
  (void)sys_read(self->signals, ignored, sizeof ignored);
  for (;;) {
    struct wait_info info = {0};
    long ret = sys5(__NR_waitid, P_ALL, 0, &info, WEXITED | WNOHANG, NULL);
    if (ret < 0 || info.pid == 0) return;
    if ((uint32_t)info.pid == self->status.pid) record_exit(&info);
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
  control_begin(s);
  oom_watch(s);
  set_nonblocking(s->out[0]);
  set_nonblocking(s->out[1]);
  set_nonblocking(s->in);
  while (!s->exited) {
    mind_leash(s);
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
