// lap-userns JOIN UIDHELPER GIDHELPER "in out count …" "in out count …" PROGRAM ARGUMENTS…: executes a program as the root of
// the user namespace of the inherited descriptor JOIN, or, when that is "", of a new one whose ids the setuid helpers newuidmap(1) and
// newgidmap(1) map; everything else stays the caller's, the process id too. This is how Node works on files of mapped ids:
// user_namespaces(7), subuid(5).
#include "userns.h"

#include <linux/sched.h>

#include "child.h"
#include "sys.h"
#include "text.h"

#define MAX_WORDS 1024

static int refuse(const char *what, int error) {
  char message[200];
  struct text t = text_in(message, sizeof message);
  text_add(&t, "lap: cannot make a user namespace: ");
  text_add(&t, what);
  text_add(&t, " failed with errno ");
  text_add_number(&t, (uint64_t)error);
  text_add(&t, "\n");
  (void)write_all(2, message, t.length);
  return 125;
}

// "1 2 3" as arguments after the program and the pid.
static void split(char *numbers, const char **argv, int at) {
  for (char *c = numbers; *c != 0 && at < MAX_WORDS - 1; at++) {
    argv[at] = c;
    while (*c != 0 && *c != ' ') c++;
    if (*c == ' ') *c++ = 0;
  }
  argv[at] = NULL;
}

static int run_helper(const char *helper, const char *pid, char *numbers) {
  static const char *argv[MAX_WORDS];
  static const char *envp[1];
  struct clone_args args = {.exit_signal = SIGCHLD};
  struct wait_info info = {0};
  argv[0] = helper;
  argv[1] = pid;
  split(numbers, argv, 2);
  long child = sys2(__NR_clone3, &args, sizeof args);
  if (child == 0) {
    (void)sys3(__NR_execve, helper, argv, envp);
    lap_exit(127);
  }
  long ret = child < 0 ? child : wait_child(child, &info);
  return ret == 0 && has_succeeded(&info) ? 0 : 1;
}

// Runs outside: maps the ids of its parent once that has its namespace.
static void map_parent(int ready, char **argv) {
  char pid[24];
  char byte;
  struct text t = text_in(pid, sizeof pid);
  text_add_number(&t, (uint64_t)sys0(__NR_getppid));
  if (sys_read(ready, &byte, 1) != 1) lap_exit(1);
  int failed = run_helper(argv[2], pid, argv[4]);
  if (failed == 0) failed = run_helper(argv[3], pid, argv[5]);
  lap_exit(failed);
}

static int enter(int ready, long mapper) {
  struct wait_info info = {0};
  long ret = sys1(__NR_unshare, CLONE_NEWUSER);
  if (ret < 0) return refuse("unshare", (int)-ret);
  if (sys_write(ready, "g", 1) != 1) return refuse("waking the helper", EPIPE);
  ret = wait_child(mapper, &info);
  return ret < 0 || !has_succeeded(&info) ? refuse("newuidmap or newgidmap", EPERM) : 0;
}

static int make(char **argv) {
  int pair[2];
  struct clone_args args = {.exit_signal = SIGCHLD};
  long ret = sys2(__NR_pipe2, pair, LAP_O_CLOEXEC);
  if (ret < 0) return refuse("pipe", (int)-ret);
  long mapper = sys2(__NR_clone3, &args, sizeof args);
  if (mapper == 0) {
    (void)sys_close(pair[1]);
    map_parent(pair[0], argv);
  }
  if (mapper < 0) return refuse("clone", (int)-mapper);
  (void)sys_close(pair[0]);
  return enter(pair[1], mapper);
}

static int join(const char *digits) {
  int number = 0;
  for (; *digits >= '0' && *digits <= '9' && number < 1000000; digits++) number = number * 10 + (*digits - '0');
  AUTO_FD fd = number;
  long ret = sys2(__NR_setns, fd, CLONE_NEWUSER);
  return ret < 0 ? refuse("joining the one of what runs", (int)-ret) : 0;
}

int userns_main(int argc, char **argv, char **envp) {
  if (argc < 7) return refuse("reading the arguments", EINVAL);
  int error = argv[1][0] == 0 ? make(argv) : join(argv[1]);
  if (error != 0) return error;
  long ret = sys3(__NR_setresgid, 0, 0, 0);
  if (ret == 0) ret = sys3(__NR_setresuid, 0, 0, 0);
  if (ret < 0) return refuse("becoming its root", (int)-ret);
  ret = sys3(__NR_execve, argv[6], argv + 6, envp);
  return refuse("executing the program", (int)-ret);
}
