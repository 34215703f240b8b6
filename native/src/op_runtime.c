// Operations of a container that another OCI runtime makes (runc, crun): this process runs its commands (runtime.md "Lifecycle"),
// takes the terminal's master from it, and names its first process, which the supervisor adopts: it is the subreaper.
#include <linux/close_range.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "channel.h"
#include "child.h"
#include "local.h"
#include "run.h"
#include "sys.h"
#include "terminal.h"
#include "text.h"

#define CONSOLE_NAME "tty.sock"
#define TERMINAL_MS 10000

// The program, with the container's streams; a terminal's come from the runtime.
static void become_program(struct run *run, const char **argv, const char **envp) {
  for (int i = 0; i < 3; i++) {
    int fd = run->stdio[i] >= 0 ? run->stdio[i] : sys_open("/dev/null", LAP_O_RDWR, 0);
    (void)sys3(__NR_dup3, fd, i, 0);
  }
  (void)sys3(__NR_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  (void)sys1(__NR_umask, 022);
  exec_reset_signals();
  (void)sys3(__NR_execve, argv[0], argv, envp);
  lap_exit(127);
}

static int run_program(struct run *run, struct list args, struct list env) {
  const char **argv = exec_pointers(args);
  const char **envp = exec_pointers(env);
  struct clone_args clone = {.exit_signal = SIGCHLD};
  struct wait_info info = {0};
  if (argv == NULL || envp == NULL) return ENOMEM;
  long pid = sys2(__NR_clone3, &clone, sizeof clone);
  if (pid == 0) become_program(run, argv, envp);
  if (pid < 0) return (int)-pid;
  long ret = wait_child(pid, &info);
  if (ret < 0) return (int)-ret;
  return has_succeeded(&info) ? 0 : fail_at(run, ECANCELED, "command failed", argv[0]);
}

static bool readable(int fd) {
  struct pollfd set = {.fd = fd, .events = POLLIN};
  struct {
    int64_t seconds, nanoseconds;
  } limit = {TERMINAL_MS / 1000, 0};
  return sys5(__NR_ppoll, &set, 1, &limit, NULL, 8) > 0;
}

// runc's terminals.md: one message with the master comes over the console socket.
static int pass_master_on(struct run *run, int listener) {
  if (!readable(listener)) return ETIMEDOUT;
  AUTO_FD socket = (int)sys4(__NR_accept4, listener, NULL, NULL, LAP_O_CLOEXEC);
  if (socket < 0) return -socket;
  if (!readable(socket)) return ETIMEDOUT;
  AUTO_FD master = receive_descriptor(socket);
  if (master < 0) return -master;
  if (run->plan->rows != 0) (void)set_window(master, (uint16_t)run->plan->rows, (uint16_t)run->plan->cols);
  return channel_send_fd(run->report, master);
}

int op_runtime(struct run *run, struct cursor *f) {
  struct list args = get_strs(f);
  struct list env = get_strs(f);
  uint32_t console = get_u32(f);
  if (f->bad || args.count == 0) return EBADMSG;
  if (console == 0) return run_program(run, args, env);
  AUTO_FD here = sys_open(".", LAP_O_PATH | LAP_O_DIRECTORY, 0);
  AUTO_FD listener = here < 0 ? here : listen_in(here, CONSOLE_NAME);
  if (listener < 0) return fail_at(run, -listener, "listen on", CONSOLE_NAME);
  int error = run_program(run, args, env);
  if (error == 0) {
    error = pass_master_on(run, listener);
    if (error != 0) error = fail_at(run, error, "receive the terminal from the runtime", "");
  }
  (void)sys3(__NR_unlinkat, here, CONSOLE_NAME, 0);
  return error;
}

// `--pid-file`: the first process, an orphan by now and so the supervisor's.
int op_adopt(struct run *run, struct cursor *f) {
  const char *file = get_str(f);
  char digits[24];
  struct channel_message message = {.kind = CHANNEL_ADOPT};
  if (f->bad) return EBADMSG;
  long got = read_file(file, digits, sizeof digits);
  if (got < 0) return fail_at(run, (int)-got, "read", file);
  message.op_index = (uint32_t)parse_number(digits);
  return message.op_index == 0 ? fail_at(run, EPROTO, "no process in", file) : channel_send(run->report, &message);
}

// All is done; the container goes on without this process.
int op_leave(struct run *run, struct cursor *f) {
  (void)f;
  struct channel_message ready = {.kind = CHANNEL_READY};
  int error = channel_send(run->report, &ready);
  if (error != 0) return error;
  lap_exit(0);
}
