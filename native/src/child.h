// Children: fork(2), the wait for one, and what waitid(2) tells.
#ifndef LAP_CHILD_H
#define LAP_CHILD_H

#include <linux/wait.h>
#include <stdbool.h>

#include "sys.h"

#define SIGCHLD 17

// siginfo_t of waitid(2), the fields that matter here; a pid of 0 is nobody.
struct wait_info {
  int32_t signal, error, code, padding, pid, uid, status;
  int32_t rest[25];
};

static inline long sys_fork(void) { return sys5(__NR_clone, SIGCHLD, 0, 0, 0, 0); }

// Waits for the end of one child; 0, or a negative errno.
static inline long wait_child(long pid, struct wait_info *info) {
  long ret = sys5(__NR_waitid, P_PID, pid, info, WEXITED, NULL);
  while (ret == -EINTR) ret = sys5(__NR_waitid, P_PID, pid, info, WEXITED, NULL);
  return ret;
}

// The same by its pidfd.
static inline long wait_pidfd(int pidfd, struct wait_info *info) {
  long ret = sys5(__NR_waitid, P_PIDFD, pidfd, info, WEXITED, NULL);
  while (ret == -EINTR) ret = sys5(__NR_waitid, P_PIDFD, pidfd, info, WEXITED, NULL);
  return ret;
}

// It came to its own end, not by a signal.
static inline bool has_exited(const struct wait_info *info) { return info->code == 1 /* CLD_EXITED */; }

static inline bool has_succeeded(const struct wait_info *info) { return has_exited(info) && info->status == 0; }

#endif
