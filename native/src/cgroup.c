// The cgroup files that a supervisor uses while its container runs: freezer and OOM counter, paths from the plan.
// cgroup-v2.rst "cgroup.freeze", "memory.events"; cgroup-v1 freezer-subsystem.rst, memory.rst "oom_control".
#include "supervisor.h"
#include "sys.h"
#include "text.h"

#define FREEZE_WAIT_TRIES 2000

// v1 answers FREEZING until every task stopped; on v2 cgroup.events of the same directory says so.
static bool settled(const char *path, bool v2, bool frozen) {
  char file[4200];
  char content[256];
  struct text t = text_in(file, sizeof file);
  text_add(&t, path);
  if (v2) {
    t.length -= text_length("cgroup.freeze");
    text_add(&t, "cgroup.events");
  }
  if (read_file(file, content, sizeof content) <= 0) return true;
  if (v2) return text_search(content, frozen ? "frozen 1" : "frozen 0") != NULL;
  return text_search(content, frozen ? "FROZEN" : "THAWED") != NULL;
}

int set_frozen(struct supervisor *s, bool frozen) {
  const char *path = s->plan.freezer_file;
  bool v2 = text_search(path, "/cgroup.freeze") != NULL;
  if (path[0] == 0) return EOPNOTSUPP;
  int error = write_file(path, v2 ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED"));
  for (int i = 0; error == 0 && !settled(path, v2, frozen); i++) {
    if (i == FREEZE_WAIT_TRIES) return EBUSY;
    nap(1);
  }
  return error;
}

uint64_t oom_kills(const struct supervisor *s) {
  char content[512];
  if (s->plan.oom_file[0] == 0 || read_file(s->plan.oom_file, content, sizeof content) <= 0) return 0;
  const char *at = text_search(content, "oom_kill ");
  return at == NULL ? 0 : parse_number(at + text_length("oom_kill "));
}
