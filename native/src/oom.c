// Out-of-memory kills as they happen, not only at the end: memory.events wakes poll (cgroup-v2.rst), v1 signals an eventfd
// (cgroup-v1/memory.rst "OOM Control"). The status record says so while the container runs on.
#include "oom.h"

#include <linux/poll.h>

#include "sys.h"
#include "text.h"

// A v1 event comes before the kill that it announces is counted.
#define TRIES 100

static int watch_v1(const char *control) {
  char path[4200];
  char line[64];
  struct text t = text_in(path, sizeof path);
  AUTO_FD file = sys_open(control, LAP_O_RDONLY, 0);
  int event = (int)sys2(__NR_eventfd2, 0, LAP_O_CLOEXEC | LAP_O_NONBLOCK);
  if (file < 0 || event < 0) return -1;
  text_add(&t, control);
  t.length -= text_length("memory.oom_control");
  text_add(&t, "cgroup.event_control");
  struct text words = text_in(line, sizeof line);
  text_add_number(&words, (uint64_t)event);
  text_add(&words, " ");
  text_add_number(&words, (uint64_t)file);
  if (!t.full && write_file(path, line) == 0) return event;
  (void)sys_close(event);
  return -1;
}

static bool is_v2(const struct supervisor *s) { return text_search(s->plan.oom_file, "/memory.events") != NULL; }

short oom_events(const struct supervisor *s) { return is_v2(s) ? POLLPRI : POLLIN; }

void oom_watch(struct supervisor *s) {
  const char *path = s->plan.oom_file;
  s->oom = -1;
  if (path[0] == 0) return;
  s->oom = is_v2(s) ? sys_open(path, LAP_O_RDONLY, 0) : watch_v1(path);
}

// The end of a v1 cgroup fires the same event.
static bool is_there(const struct supervisor *s) {
  return sys3(__NR_faccessat, LAP_AT_FDCWD, s->plan.oom_file, 0) == 0;
}

void oom_note(struct supervisor *s) {
  char ignored[512];
  bool v2 = is_v2(s);
  // Reading arms the next one; a file that is gone takes the watch with it.
  if (sys4(__NR_pread64, s->oom, ignored, sizeof ignored, 0) < 0 && (v2 || sys_read(s->oom, ignored, 8) < 0)) {
    (void)sys_close(s->oom);
    s->oom = -1;
    return;
  }
  for (int i = 0; !v2 && i < TRIES && is_there(s) && oom_kills(s) <= s->oom_base; i++) nap(1);
  if ((s->status.flags & STATUS_OOM) != 0 || oom_kills(s) <= s->oom_base) return;
  s->status.flags |= STATUS_OOM;
  (void)status_write(s->dir, &s->status);
  // At the end whoever cleans up says it.
  if (!s->exited) tell_policy(s, "oom");
}
