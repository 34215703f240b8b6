// What clients ask of the supervisor: signals, sizes, pauses; and the leash that their connection may be. See client.h for the frames.
#include "client.h"
#include "supervisor.h"
#include "sys.h"
#include "terminal.h"

#define SIGKILL 9

static struct supervisor *self;

void control_begin(struct supervisor *s) { self = s; }

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void answer(struct client *c, uint32_t request, int error) {
  uint32_t words[2] = {__builtin_bswap32(request), __builtin_bswap32((uint32_t)error)};
  if (error == 0) client_send(c, FRAME_OK, words, 4);
  else client_send(c, FRAME_ERROR, words, 8);
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
void mind_leash(struct supervisor *s) {
  if ((s->plan.flags & PLAN_LEASHED) == 0 || s->exited) return;
  for (size_t i = 0; i < MAX_CLIENTS; i++) {
    if (clients[i].fd >= 0 && clients[i].owner) return;
  }
  (void)send_signal(SIGKILL);
}

static int resize(const uint8_t *payload, uint32_t length) {
  if (length != 4) return EINVAL;
  if ((self->plan.flags & PLAN_PTY) == 0 || self->in < 0) return 0;
  return (int)-set_window(self->in, (uint16_t)(payload[0] << 8 | payload[1]), (uint16_t)(payload[2] << 8 | payload[3]));
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

bool stdin_once(const struct supervisor *s) { return (s->plan.flags & (PLAN_STDIN_ONCE | PLAN_PTY)) == PLAN_STDIN_ONCE; }

void handle_gone(struct client *c) {
  if (c->pauses && self->status.state == STATE_PAUSED) (void)freeze(false);
  if ((c->streams & CLIENT_STDIN) != 0 && stdin_once(self)) close_once(&self->in);
}
