// lap-init -- PROGRAM [ARG...]: the first process of a container of --init. It runs the program as its child, forwards every signal to
// it, reaps what is orphaned (pid_namespaces(7): orphans become children of process 1), and exits as the program did.
#include "child.h"
#include "sys.h"
#include "text.h"

#define SIGTTIN 21
#define SIGTTOU 22
#define TIOCSPGRP 0x5410
#define NOT_FOUND 127
#define NOT_EXECUTABLE 126
#define PATH_SIZE 4096

int lap_main(int argc, char **argv, char **envp);

static const uint64_t all_signals = ~0ULL;

static const char *search_path(char **envp) {
  for (; *envp != NULL; envp++) {
    if (text_search(*envp, "PATH=") == *envp) return *envp + 5;
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

// execvp(3): a name with a slash is a path, another is looked for in each directory of PATH. Returns the errno of the last refusal
// that says more than that a file is missing.
static long exec_program(char **argv, char **envp) {
  char file[PATH_SIZE];
  long error = -ENOENT;
  if (text_find(argv[0], '/') != NULL) return sys3(__NR_execve, argv[0], argv, envp);
  for (const char *at = search_path(envp); at != NULL;) {
    const char *end = text_find(at, ':');
    size_t length = end == NULL ? text_length(at) : (size_t)(end - at);
    struct text t = text_in(file, sizeof file);
    text_add_bytes(&t, length == 0 ? "." : at, length == 0 ? 1 : length);
    text_add(&t, "/");
    text_add(&t, argv[0]);
    long ret = t.full ? -ENAMETOOLONG : sys3(__NR_execve, file, argv, envp);
    if (ret != -ENOENT && ret != -ENOTDIR) error = ret;
    at = end == NULL ? NULL : end + 1;
  }
  return error;
}

// A group of its own, in the foreground of the terminal if there is one: Ctrl-C goes to the program.
static void own_group(void) {
  int group = (int)sys0(__NR_getpid);
  (void)sys2(__NR_setpgid, 0, 0);
  (void)sys3(__NR_ioctl, 0, TIOCSPGRP, &group);
}

static void become_program(char **argv, char **envp, const uint64_t *mask) __attribute__((noreturn));
static void become_program(char **argv, char **envp, const uint64_t *mask) {
  char line[PATH_SIZE];
  own_group();
  (void)sys4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, mask, NULL, sizeof *mask);
  long error = exec_program(argv, envp);
  struct text t = text_in(line, sizeof line);
  text_add(&t, "init: exec ");
  text_add(&t, argv[0]);
  text_add(&t, error == -ENOENT ? " failed: No such file or directory\n" : " failed: it cannot be executed\n");
  (void)sys_write(2, line, t.length);
  lap_exit(error == -ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

// Reaps whatever ended; true when the program did, with its exit code.
static bool reap(long program, int *code) {
  bool ended = false;
  int status = 0;
  for (;;) {
    long pid = sys4(__NR_wait4, -1, &status, WNOHANG, NULL);
    if (pid == -EINTR) continue;
    if (pid <= 0) return ended;
    if (pid != program) continue;
    int signal = status & 0x7f;
    *code = signal == 0 ? (status >> 8) & 0xff : 128 + signal;
    ended = true;
  }
}

int lap_main(int argc, char **argv, char **envp) {
  int first = argc > 1 && text_equal(argv[1], "--") ? 2 : 1;
  uint64_t mask = 0;
  int code = 0;
  if (argc <= first) return NOT_FOUND;
  // Blocked signals wait for us; even those that process 1 would never get by default.
  (void)sys4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &all_signals, &mask, sizeof mask);
  long program = sys_fork();
  if (program == 0) become_program(argv + first, envp, &mask);
  if (program < 0) return NOT_EXECUTABLE;
  for (;;) {
    long signal = sys4(__NR_rt_sigtimedwait, &all_signals, NULL, NULL, sizeof all_signals);
    if (signal == SIGCHLD) {
      if (reap(program, &code)) return code;
    } else if (signal > 0 && signal != SIGTTIN && signal != SIGTTOU) (void)sys2(__NR_kill, program, signal);
  }
}
