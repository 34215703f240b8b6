// lap-shim: reads a launch plan, starts the container's first process and becomes its supervisor. Started by
// packages/core/src/launch: the plan is on descriptor 3, the first client's socket on 4. See supervisor.h for the picture.
#include <linux/close_range.h>
#include <linux/prctl.h>

#include "client.h"
#include "local.h"
#include "log.h"
#include "supervisor.h"
#include "sys.h"
#include "text.h"
#include "userns.h"

#define PLAN_FD 3
#define CLIENT_FD 4

static struct supervisor supervisor;

int lap_main(int argc, char **argv, char **envp);

// The helper holds host descriptors and, for an instant, runs inside: nobody may trace it (CVE-2016-9962, CVE-2019-5736).
static int harden(struct supervisor *s) {
  uint64_t all = ~0ULL;
  uint64_t children = 1ULL << 16;  // SIGCHLD
  (void)sys4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &all, NULL, sizeof all);
  // What the caller forgot to close must not be held open by a process that outlives it.
  (void)sys3(__NR_close_range, CLIENT_FD + 1 + s->plan.preserve, ~0U, 0);
  (void)sys3(__NR_close_range, PLAN_FD, ~0U, CLOSE_RANGE_CLOEXEC);
  // Without privilege the id maps of a child may be written only while it can be traced; it hides after that.
  if (sys0(__NR_geteuid) == 0) (void)sys5(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)sys5(__NR_prctl, PR_SET_NAME, "lap-shim", 0, 0, 0);  // started by descriptor it would be named after its number
  (void)sys0(__NR_setsid);
  (void)sys1(__NR_umask, 022);
  s->signals = (int)sys4(__NR_signalfd4, -1, &children, sizeof children, LAP_O_CLOEXEC | LAP_O_NONBLOCK);
  if (s->signals < 0) return -s->signals;
  return (int)-sys5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

static int make_gate(struct supervisor *s) {
  (void)sys3(__NR_unlinkat, s->dir, "exec.fifo", 0);
  long ret = sys4(__NR_mknodat, s->dir, "exec.fifo", 0010000 /* S_IFIFO */ | 0600, 0);
  if (ret < 0) return (int)-ret;
  // Read and write: with a writer of its own, a read waits instead of ending.
  s->gate = sys_openat(s->dir, "exec.fifo", LAP_O_RDWR, 0);
  if (s->gate < 0) return -s->gate;
  s->failed = sys_openat(s->dir, "exec.error", LAP_O_CREAT | LAP_O_TRUNC | LAP_O_WRONLY, 0600);
  return s->failed < 0 ? -s->failed : 0;
}

static bool supervised(const struct supervisor *s) { return (s->plan.flags & PLAN_UNSUPERVISED) == 0; }

static int open_supervision(struct supervisor *s, const char **what) {
  *what = "listen on ctl.sock";
  s->listener = listen_in(s->dir, "ctl.sock");
  if (s->listener < 0) return -s->listener;
  *what = "open log";
  struct log_orders orders = {s->plan.log_path, s->plan.log_max_bytes, s->plan.log_max_files, s->plan.log_attrs};
  int error = log_open(&orders);
  return error != 0 || s->plan.log_buffer == 0 ? error : log_apart(s->plan.log_buffer);
}

static int prepare(struct supervisor *s, const char **what) {
  *what = "harden";
  int error = harden(s);
  if (error != 0) return error;
  *what = "open container directory";
  s->dir = sys_open(s->plan.container_dir, LAP_O_RDONLY | LAP_O_DIRECTORY, 0);
  if (s->dir < 0) return -s->dir;
  if (supervised(s)) error = open_supervision(s, what);
  if (error != 0) return error;
  *what = "make the gate";
  if ((s->plan.flags & PLAN_GATE) != 0) error = make_gate(s);
  if (error != 0) return error;
  *what = "make pipes";
  return make_stdio(s);
}

static void report_failure(struct supervisor *s, struct client *c, const struct channel_message *m) {
  struct {
    uint32_t op_index, error, kind;
    char detail[DETAIL_SIZE];
  } body = {__builtin_bswap32(m->op_index), __builtin_bswap32(m->error), __builtin_bswap32(m->fail_kind), {0}};
  size_t length = text_length(m->detail);
  copy_bytes(body.detail, m->detail, length);
  s->status.state = STATE_EXITED;
  s->status.exit_code = m->fail_kind == FAIL_NOT_FOUND ? 127 : m->fail_kind == FAIL_PERMISSION ? 126 : 125;
  s->status.finished_ns = now_ns();
  status_error(&s->status, m->detail);
  if (s->dir >= 0 && supervised(s)) (void)status_write(s->dir, &s->status);
  if (s->dir >= 0 && supervised(s)) (void)sys3(__NR_unlinkat, s->dir, "ctl.sock", 0);
  if (c != NULL) client_send(c, FRAME_FAILED, &body, (uint32_t)(offsetof(__typeof__(body), detail) + length));
}

static void report_started(struct supervisor *s, struct client *c) {
  uint32_t pid = __builtin_bswap32(s->status.pid);
  s->status.state = STATE_RUNNING;
  s->status.started_ns = now_ns();
  if (supervised(s)) (void)status_write(s->dir, &s->status);
  if (c == NULL) return;
  bool stays = (s->plan.flags & PLAN_INITIAL_CLIENT) != 0;
  c->owner = stays && (s->plan.flags & PLAN_FOREGROUND) != 0;
  c->streams = stays ? s->plan.attach : 0;
  c->waiting = stays;
  client_send(c, FRAME_STARTED, &pid, sizeof pid);
  if (!stays) client_close(c);
}

// Cleaning up is policy and therefore Node's: this process becomes `lap _reap ID`.
void become_reaper(struct supervisor *s, const char *word) {
  static const char *argv[64];
  struct list list = s->plan.reap_argv;
  uint64_t none = 0;
  if (list.count == 0 || list.count >= 63) return;
  for (uint32_t i = 0; i < list.count; i++) argv[i] = get_str(&list.items);
  argv[list.count] = word;
  (void)sys4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, NULL, sizeof none);
  (void)sys3(__NR_execve, argv[0], argv, s->envp);
}

static int serve(struct supervisor *s, struct client *c) {
  struct channel_message message = {0};
  const char *what = "";
  int error = prepare(s, &what);
  if (error != 0) {
    struct text t = text_in(message.detail, sizeof message.detail);
    text_add(&t, what);
  } else {
    status_begin(&s->status);
    s->oom_base = oom_kills(s);
    if (supervised(s)) error = status_reserve(s->dir, &s->status);
    if (error != 0) {
      struct text t = text_in(message.detail, sizeof message.detail);
      text_add(&t, "write the status record");
    } else {
      error = launch_container(s, &message);
    }
  }
  if (error != 0) {
    message.error = (uint32_t)error;
    report_failure(s, c, &message);
    // The caller is gone: nobody else cleans up.
    if (supervised(s) && (c == NULL || c->fd < 0)) become_reaper(s, NULL);
    return 1;
  }
  report_started(s, c);
  if (!supervised(s)) return 0;
  guard_start(s);
  supervise(s);
  guard_dismiss(s);
  become_reaper(s, NULL);
  return 0;
}

int lap_main(int argc, char **argv, char **envp) {
  if (argc > 0 && text_equal(argv[0], "lap-userns")) return userns_main(argc, argv, envp);
  struct supervisor *s = &supervisor;
  s->envp = envp;
  s->gate = s->failed = s->guard = -1;
  s->dir = s->listener = s->signals = s->in = s->child = s->out[0] = s->out[1] = -1;
  clients_begin();
  struct client *c = client_add(CLIENT_FD, false);
  s->caller = c;
  int error = plan_read(PLAN_FD, &s->plan);
  if (error == 0) return serve(s, c);
  struct channel_message message = {.error = (uint32_t)error, .detail = "read launch plan"};
  report_failure(s, c, &message);
  return 1;
}
