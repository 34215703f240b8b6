// Operations where the process waits for others: the gate between create and start, and the hooks (config.md "POSIX-platform Hooks").
#include <linux/memfd.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "channel.h"
#include "child.h"
#include "run.h"
#include "sys.h"
#include "text.h"

#define STATUS_MARK "%STATUS%"
#define OUTPUT_TAIL 300

// A created container can be ended by a signal, though the kernel lets the first process of a pid namespace ignore those without
// a handler: HUP INT QUIT USR1 USR2 ALRM TERM. Others of before the start come to nothing.
static void mind_signal(int signals) {
  struct {
    uint32_t number;
    uint8_t rest[124];
  } info;
  uint32_t deadly = 1U << 1 | 1U << 2 | 1U << 3 | 1U << 10 | 1U << 12 | 1U << 14 | 1U << 15;
  if (sys_read(signals, &info, sizeof info) != sizeof info) return;
  if (info.number < 32 && (deadly >> info.number & 1U) != 0) lap_exit(128 + (int)info.number);
}

// runc's own order: everything that can fail has been tried, the program was found, only execve is left. One byte in
// exec.fifo lets it go; the descriptor closes by exec, which tells the writer.
int op_gate(struct run *run, struct cursor *f) {
  (void)f;
  char go;
  struct channel_message ready = {.kind = CHANNEL_READY};
  int error = channel_send(run->report, &ready);
  if (error != 0) return error;
  run->past_gate = true;
  uint64_t all = ~0ULL;
  AUTO_FD signals = (int)sys4(__NR_signalfd4, -1, &all, sizeof all, LAP_O_CLOEXEC | LAP_O_NONBLOCK);
  if (signals < 0) return -signals;
  for (;;) {
    struct pollfd set[2] = {{run->gate, POLLIN, 0}, {signals, POLLIN, 0}};
    long woken = sys5(__NR_ppoll, set, 2, NULL, NULL, 8);
    if (woken < 0 && woken != -EINTR) return (int)-woken;
    if (woken > 0 && set[1].revents != 0) mind_signal(signals);
    if (woken <= 0 || set[0].revents == 0) continue;
    long got = sys_read(run->gate, &go, 1);
    if (got == 1) return 0;
    if (got != -EINTR) return got < 0 ? (int)-got : EPIPE;
  }
}

int op_sync(struct run *run, struct cursor *f) {
  uint32_t stage = get_u32(f);
  if (f->bad) return EBADMSG;
  struct channel_message message = {.kind = CHANNEL_SYNC, .op_index = stage};
  int error = channel_send(run->report, &message);
  if (error != 0) return error;
  long got = channel_read(run->report, run->state, sizeof run->state - 1);
  if (got <= 0) return fail_at(run, got < 0 ? (int)-got : ECANCELED, "wait for the hooks of the runtime namespace", "");
  run->state[got] = 0;
  return 0;
}

// The state on standard input, with the status of this moment in place of the mark.
static int state_file(struct run *run, const char *status) {
  int fd = (int)sys2(__NR_memfd_create, "state", MFD_CLOEXEC);
  const char *mark = text_search(run->state, STATUS_MARK);
  size_t before = mark == NULL ? text_length(run->state) : (size_t)(mark - run->state);
  if (fd < 0) return fd;
  (void)write_all(fd, run->state, before);
  if (mark != NULL) {
    (void)write_all(fd, status, text_length(status));
    (void)write_all(fd, mark + text_length(STATUS_MARK), text_length(mark + text_length(STATUS_MARK)));
  }
  (void)sys3(__NR_lseek, fd, 0, 0);
  return fd;
}

// What a failed hook wrote last goes into the error; of one that did its work nobody reads it.
static void add_output(struct text *t, int output) {
  char tail[OUTPUT_TAIL + 1];
  long end = sys3(__NR_lseek, output, 0, 2 /* SEEK_END */);
  long from = end > OUTPUT_TAIL ? end - OUTPUT_TAIL : 0;
  long got = end <= 0 ? 0 : sys4(__NR_pread64, output, tail, OUTPUT_TAIL, from);
  if (got <= 0) return;
  text_add(t, ", output: ");
  text_add_bytes(t, tail, (size_t)got);
}

static int await_hook(struct run *run, int pidfd, uint32_t timeout, const char *path, int output) {
  struct wait_info info = {0};
  struct pollfd set = {.fd = pidfd, .events = POLLIN};
  struct {
    int64_t seconds, nanoseconds;
  } limit = {timeout, 0};
  long ready = sys5(__NR_ppoll, &set, 1, timeout == 0 ? NULL : &limit, NULL, 8);
  if (ready == 0) (void)sys4(__NR_pidfd_send_signal, pidfd, 9, NULL, 0);
  (void)wait_pidfd(pidfd, &info);
  if (ready != 0 && has_succeeded(&info)) return 0;
  struct text t = text_in(run->detail, sizeof run->detail);
  text_add(&t, "\"");
  text_add(&t, path);
  text_add(&t, "\": ");
  if (ready == 0) {
    text_add(&t, "timed out");
  } else {
    text_add(&t, has_exited(&info) ? "exit status " : "signal ");
    text_add_number(&t, (uint64_t)info.status);
  }
  add_output(&t, output);
  return ready == 0 ? ETIMEDOUT : ECANCELED;
}

// Hooks of createContainer find the root filesystem around them, as under runc; libraries are put into place by that.
static void become_hook(struct run *run, const char *path, const char *status, const int streams[2],
                        const char **argv, const char **envp) {
  (void)sys3(__NR_dup3, streams[0], 0, 0);
  (void)sys3(__NR_dup3, streams[1], 1, 0);
  (void)sys3(__NR_dup3, streams[1], 2, 0);
  if (text_equal(status, "creating")) (void)sys1(__NR_fchdir, run->root);
  exec_reset_signals();
  (void)sys3(__NR_execve, path, argv, envp);
  lap_exit(127);
}

int op_hook(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  struct list args = get_strs(f);
  struct list env = get_strs(f);
  uint32_t timeout = get_u32(f);
  const char *status = get_str(f);
  if (f->bad) return EBADMSG;
  AUTO_FD state = state_file(run, status);
  AUTO_FD output = (int)sys2(__NR_memfd_create, "output", MFD_CLOEXEC);
  if (state < 0 || output < 0) return state < 0 ? -state : -output;
  int pidfd = -1;
  struct clone_args clone = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
  clone.pidfd = (uint64_t)(uintptr_t)&pidfd;
  const char **argv = exec_pointers(args);
  const char **envp = exec_environment(run, env);
  if (argv == NULL || envp == NULL) return ENOMEM;
  long pid = sys2(__NR_clone3, &clone, sizeof clone);
  if (pid < 0) return (int)-pid;
  if (pid == 0) become_hook(run, path, status, (int[2]){state, output}, argv, envp);
  int error = await_hook(run, pidfd, timeout, path, output);
  (void)sys_close(pidfd);
  return error;
}
