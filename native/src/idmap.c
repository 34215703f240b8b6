// See idmap.h.
#include "idmap.h"

#include <linux/sched.h>

#include "child.h"
#include "run.h"
#include "sys.h"
#include "text.h"

#define MAX_IDS 1020U  // 340 lines of three numbers
#define DIGITS 12U

static struct text process_file(char *buffer, size_t size, uint64_t pid, const char *file) {
  struct text t = text_in(buffer, size);
  text_add(&t, "/proc/");
  text_add_number(&t, pid);
  text_add(&t, file);
  return t;
}

static int write_map(uint64_t pid, const char *file, struct list map) {
  char path[64];
  char lines[16384];
  struct text t = text_in(lines, sizeof lines);
  (void)process_file(path, sizeof path, pid, file);
  for (uint32_t i = 0; i < map.count; i++) {
    text_add_number(&t, get_u32(&map.items));
    text_add(&t, i % 3 == 2 ? "\n" : " ");
  }
  return t.full ? E2BIG : write_file(path, lines);
}

// helper PID inside outside count …
static void helper_arguments(const char **argv, const char *helper, uint64_t pid, struct list map) {
  static char numbers[MAX_IDS + 1][DIGITS];
  struct text first = text_in(numbers[0], DIGITS);
  text_add_number(&first, pid);
  argv[0] = helper;
  argv[1] = numbers[0];
  for (uint32_t i = 0; i < map.count; i++) {
    struct text t = text_in(numbers[i + 1], DIGITS);
    text_add_number(&t, get_u32(&map.items));
    argv[i + 2] = numbers[i + 1];
  }
}

static int run_helper(const char *helper, uint64_t pid, struct list map) {
  static const char *argv[MAX_IDS + 3];
  static const char *envp[1];
  struct clone_args args = {.exit_signal = SIGCHLD};
  struct wait_info info = {0};
  if (map.count > MAX_IDS) return E2BIG;
  helper_arguments(argv, helper, pid, map);
  long child = sys2(__NR_clone3, &args, sizeof args);
  if (child < 0) return (int)-child;
  if (child == 0) {
    exec_reset_signals();
    (void)sys3(__NR_execve, helper, argv, envp);
    lap_exit(127);
  }
  long ret = wait_child(child, &info);
  if (ret < 0) return (int)-ret;
  return has_succeeded(&info) ? 0 : EPERM;
}

int write_id_maps(const struct plan *plan, uint64_t pid) {
  char path[64];
  int error = 0;
  if (plan->uid_map.count == 0) return 0;
  if (plan->uid_helper[0] != 0) error = run_helper(plan->uid_helper, pid, plan->uid_map);
  else error = write_map(pid, "/uid_map", plan->uid_map);
  if (error != 0) return error;
  if (plan->gid_helper[0] != 0) return run_helper(plan->gid_helper, pid, plan->gid_map);
  (void)process_file(path, sizeof path, pid, "/setgroups");
  if ((plan->flags & PLAN_DENY_SETGROUPS) != 0) error = write_file(path, "deny");
  return error != 0 ? error : write_map(pid, "/gid_map", plan->gid_map);
}

int write_process_maps(uint64_t pid, struct list uids, struct list gids) {
  int error = write_map(pid, "/uid_map", uids);
  return error != 0 ? error : write_map(pid, "/gid_map", gids);
}
