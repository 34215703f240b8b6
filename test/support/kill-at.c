// Runs a command and kills, or fails, one call that changes something: the N-th that it and all its children make together.
//
//   kill-at OUT N ERRNO COMMAND [ARGUMENT…]     N = 0 only lists; ERRNO = 0 kills the process, else that call fails with it
//
// OUT gets a line per call: its number, the process, its program and the call's name. What a container's own program does is
// not counted: a process that executed something in another mount namespace. Ends with the command, once all
// that it left behind is idle, or a second later.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { QUIET_MS = 100, AFTER_MS = 1000, LONGEST_MS = 20000 };

// What a call must be looked at for before it counts.
enum look { ANY, CREATES, FILE_FD, PROCESS, SOCKET };

static const struct { long nr; const char *name; enum look look; int arg; } CALLS[] = {
#define CALL(n, look, arg) { SYS_##n, #n, look, arg }
  CALL(fsync, ANY, 0), CALL(fdatasync, ANY, 0), CALL(syncfs, ANY, 0), CALL(ftruncate, ANY, 0), CALL(fallocate, ANY, 0),
  CALL(renameat, ANY, 0), CALL(renameat2, ANY, 0), CALL(linkat, ANY, 0), CALL(symlinkat, ANY, 0), CALL(mkdirat, ANY, 0),
  CALL(mknodat, ANY, 0), CALL(unlinkat, ANY, 0), CALL(fchmod, ANY, 0), CALL(fchmodat, ANY, 0), CALL(fchown, ANY, 0),
  CALL(fchownat, ANY, 0), CALL(utimensat, ANY, 0), CALL(setxattr, ANY, 0), CALL(lsetxattr, ANY, 0), CALL(fsetxattr, ANY, 0),
  CALL(openat, CREATES, 2), CALL(write, FILE_FD, 0), CALL(pwrite64, FILE_FD, 0), CALL(writev, FILE_FD, 0),
  CALL(copy_file_range, ANY, 0), CALL(sendfile, FILE_FD, 0), CALL(mount, ANY, 0), CALL(umount2, ANY, 0), CALL(move_mount, ANY, 0),
  CALL(fsmount, ANY, 0), CALL(open_tree, ANY, 0), CALL(mount_setattr, ANY, 0), CALL(pivot_root, ANY, 0), CALL(setns, ANY, 0),
  CALL(unshare, ANY, 0), CALL(clone, PROCESS, 0), CALL(execve, ANY, 0), CALL(kill, ANY, 0), CALL(pidfd_send_signal, ANY, 0),
  CALL(sendto, SOCKET, 0), CALL(sendmsg, SOCKET, 0), CALL(exit_group, ANY, 0),
#ifdef SYS_rename
  CALL(rename, ANY, 0), CALL(link, ANY, 0), CALL(symlink, ANY, 0), CALL(mkdir, ANY, 0), CALL(rmdir, ANY, 0), CALL(unlink, ANY, 0),
  CALL(mknod, ANY, 0), CALL(chmod, ANY, 0), CALL(chown, ANY, 0), CALL(lchown, ANY, 0), CALL(open, CREATES, 1), CALL(fork, ANY, 0),
  CALL(vfork, ANY, 0),
#endif
};

static struct { bool traced, ignored, entered, failing; } tasks[1 << 22];
// The C library's own declarations know less than the kernel's header, and clash with it.
static long ptrace(long request, pid_t task, const void *address, const void *data) {
  return syscall(SYS_ptrace, request, task, address, data);
}

static FILE *out;
static long target, seen;
static int failure;

static pid_t group_of(pid_t task) {
  char path[64], line[128];
  pid_t group = task;
  snprintf(path, sizeof path, "/proc/%d/status", task);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "Tgid: %d", &group) == 1) break;
  if (file) fclose(file);
  return group;
}

static void link_of(char *to, size_t size, pid_t task, const char *what) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", task, what);
  ssize_t length = readlink(path, to, size - 1);
  to[length < 0 ? 0 : length] = 0;
}

static bool elsewhere(pid_t task) {
  char own[64], its[64];
  link_of(own, sizeof own, getpid(), "ns/mnt");
  link_of(its, sizeof its, task, "ns/mnt");
  return strcmp(own, its) != 0;
}

static bool counts(pid_t task, enum look look, unsigned long long arg) {
  char what[32], path[4096];
  switch (look) {
  case ANY: return true;
  case CREATES: return (arg & (O_CREAT | O_TRUNC)) != 0;
  case PROCESS: return (arg & CLONE_THREAD) == 0;
  case FILE_FD:
  case SOCKET:
    snprintf(what, sizeof what, "fd/%d", (int)arg);
    link_of(path, sizeof path, task, what);
    return look == SOCKET ? strncmp(path, "socket:", 7) == 0 : path[0] == '/' && strncmp(path, "/dev/", 5) != 0;
  }
  return false;
}

// At the entry of a call: the count, and what is done at the one that was asked for.
static void enter(pid_t task, const struct ptrace_syscall_info *info) {
  for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
    if ((long)info->entry.nr != CALLS[i].nr || !counts(task, CALLS[i].look, info->entry.args[CALLS[i].arg])) continue;
    char path[64], comm[32] = "?";
    snprintf(path, sizeof path, "/proc/%d/comm", task);
    FILE *file = fopen(path, "r");
    if (file && fgets(comm, sizeof comm, file)) comm[strcspn(comm, "\n")] = 0;
    if (file) fclose(file);
    pid_t group = group_of(task);
    seen++;
    fprintf(out, "%ld %d %s %s%s\n", seen, group, comm, CALLS[i].name, seen == target ? " HERE" : "");
    fflush(out);
    if (seen != target) return;
    if (failure == 0) kill(group, SIGKILL);
    else tasks[task].failing = true;
    return;
  }
}

#if defined __x86_64__
static void no_call(pid_t task) { ptrace(PTRACE_POKEUSR, task, (void *)offsetof(struct user_regs_struct, orig_rax), (void *)-1L); }
static void result(pid_t task, long value) { ptrace(PTRACE_POKEUSR, task, (void *)offsetof(struct user_regs_struct, rax), (void *)value); }
#else
static void no_call(pid_t task) {
  int nr = -1;
  struct iovec io = { &nr, sizeof nr };
  ptrace(PTRACE_SETREGSET, task, (void *)0x404, &io); // NT_ARM_SYSTEM_CALL
}
static void result(pid_t task, long value) {
  struct user_regs_struct regs;
  struct iovec io = { &regs, sizeof regs };
  ptrace(PTRACE_GETREGSET, task, (void *)1, &io);
  regs.regs[0] = (unsigned long long)value;
  ptrace(PTRACE_SETREGSET, task, (void *)1, &io);
}
#endif

static void call_stop(pid_t task) {
  struct ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, task, (void *)sizeof info, &info) <= 0) return;
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !tasks[task].ignored) {
    enter(task, &info);
    if (tasks[task].failing) no_call(task);
  } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && tasks[task].failing) {
    result(task, -failure);
    tasks[task].failing = false;
  }
}

static void event(pid_t task, int status) {
  unsigned long value = 0;
  ptrace(PTRACE_GETEVENTMSG, task, NULL, &value);
  switch (status >> 16) {
  case PTRACE_EVENT_FORK:
  case PTRACE_EVENT_VFORK:
  case PTRACE_EVENT_CLONE: tasks[value].ignored = tasks[task].ignored; break;
  case PTRACE_EVENT_EXEC: tasks[task].ignored = tasks[task].ignored || elsewhere(task); break;
  default: break;
  }
}

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void stopped(pid_t task, int status) {
  int signal = WSTOPSIG(status);
  tasks[task].traced = true;
  if (signal == (SIGTRAP | 0x80)) { call_stop(task); signal = 0; }
  else if (status >> 16 == PTRACE_EVENT_STOP) {
    // A new child's first stop, or one of the whole group, which stays.
    if (signal != SIGTRAP) { ptrace(PTRACE_LISTEN, task, NULL, NULL); return; }
    signal = 0;
  } else if (status >> 16 != 0) { event(task, status); signal = 0; }
  ptrace(PTRACE_SYSCALL, task, NULL, (void *)(long)signal);
}

static void wake(int signal) { (void)signal; }

int main(int argc, char **argv) {
  if (argc < 5 || !(out = fopen(argv[1], "w"))) return 2;
  fcntl(fileno(out), F_SETFD, FD_CLOEXEC);
  target = atol(argv[2]);
  failure = atoi(argv[3]);
  pid_t child = fork();
  if (child == 0) {
    raise(SIGSTOP);
    execvp(argv[4], argv + 4);
    _exit(127);
  }
  int status, code = -1;
  waitpid(child, &status, WUNTRACED);
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
  if (ptrace(PTRACE_SEIZE, child, NULL, (void *)options) != 0) { kill(child, SIGKILL); return 2; }
  kill(child, SIGCONT);
  // Only to wake up now and then.
  sigaction(SIGALRM, &(struct sigaction){ .sa_handler = wake }, NULL);
  timer_t timer;
  timer_create(CLOCK_MONOTONIC, NULL, &timer);
  timer_settime(timer, 0, &(struct itimerspec){ { 0, 20000000 }, { 0, 20000000 } }, NULL);
  for (long start = now_ms(), last = start, end = start;;) {
    pid_t task = waitpid(-1, &status, __WALL);
    long now = now_ms();
    if (task < 0 && errno == ECHILD) break;
    if ((code >= 0 && (now - last > QUIET_MS || now - end > AFTER_MS)) || now - start > LONGEST_MS) break;
    if (task < 0) continue;
    last = now;
    if (WIFSTOPPED(status)) stopped(task, status);
    else {
      memset(&tasks[task], 0, sizeof *tasks);
      if (task != child) continue;
      code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      end = now;
    }
  }
  return code < 0 ? 3 : code; // What still runs goes on untraced.
}
