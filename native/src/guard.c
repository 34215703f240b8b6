// Somebody has to notice that the supervisor was killed, when the container's policy starts it again: a copy of the supervisor that
// waits at the end of a pipe. The pipe closes with the supervisor, however that ended; a byte in it says that the end was regular.
#include <linux/prctl.h>

#include "child.h"
#include "supervisor.h"
#include "sys.h"

static void wait_for_end(struct supervisor *s, int pipe) {
  char word;
  (void)sys3(__NR_dup3, pipe, 0, 0);
  (void)sys3(__NR_close_range, 3, ~0U, 0);
  (void)sys0(__NR_setsid);
  (void)sys5(__NR_prctl, PR_SET_NAME, "lap-guard", 0, 0, 0);
  long got = sys_read(0, &word, 1);
  while (got == -EINTR) got = sys_read(0, &word, 1);
  if (got == 0) become_reaper(s, NULL);
  lap_exit(0);
}

void guard_start(struct supervisor *s) {
  int ends[2];
  if ((s->plan.flags & PLAN_GUARDED) == 0 || s->guard >= 0 || s->exited || sys2(__NR_pipe2, ends, LAP_O_CLOEXEC) != 0) return;
  long pid = sys_fork();
  if (pid == 0) wait_for_end(s, ends[0]);
  (void)sys_close(ends[0]);
  s->guard = ends[1];
}

void guard_dismiss(const struct supervisor *s) {
  if (s->guard >= 0) (void)sys_write(s->guard, "0", 1);
}

// Whoever is told starts while the container runs on.
void tell_policy(struct supervisor *s, const char *word) {
  long pid = sys_fork();
  if (pid != 0) return;
  (void)sys3(__NR_close_range, 3, ~0U, 0);
  (void)sys0(__NR_setsid);
  become_reaper(s, word);
  lap_exit(0);
}
