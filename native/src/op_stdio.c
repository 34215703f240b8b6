// The operation that gives the process its standard streams: pipes of the supervisor, or a pseudoterminal of the
// container's own devpts whose master goes to the supervisor (pty(7), ioctl_tty(2), unix(7) SCM_RIGHTS).
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "beneath.h"
#include "channel.h"
#include "op_mount.h"
#include "sys.h"
#include "terminal.h"

#define WITH_CONSOLE 1U
#define PLAIN_NEWLINES 2U
#define OUTPUT_ONLCR 4U

// struct termios of the kernel's ABI; libc owns its public header.
struct terminal {
  uint32_t input, output, control, local;
  uint8_t line, letters[19];
};

static int open_master(struct run *run) {
  AUTO_FD pts = open_beneath(run->root, "/dev/pts", LAP_O_DIRECTORY | LAP_O_NOFOLLOW);
  if (pts < 0) return pts;
  return sys_openat(pts, "ptmx", LAP_O_RDWR | LAP_O_NOCTTY | LAP_O_NOFOLLOW, 0);
}

// The group stays the one devpts gave it (tty), by which write(1) and its kind reach a terminal.
static int open_slave(struct run *run, int master, uint32_t uid) {
  int unlock = 0;
  long ret = sys3(__NR_ioctl, master, TIOCSPTLCK, &unlock);
  if (ret < 0) return (int)ret;
  if (run->plan->rows != 0) (void)set_window(master, (uint16_t)run->plan->rows, (uint16_t)run->plan->cols);
  int slave = (int)sys3(__NR_ioctl, master, TIOCGPTPEER, LAP_O_RDWR | LAP_O_NOCTTY | LAP_O_CLOEXEC);
  if (slave >= 0) (void)sys3(__NR_fchown, slave, uid, ~0U);
  return slave;
}

// Whoever relays the terminal to another one leaves the carriage returns to that.
static void plain_newlines(int slave) {
  struct terminal terminal;
  if (sys3(__NR_ioctl, slave, TCGETS, &terminal) < 0) return;
  terminal.output &= ~OUTPUT_ONLCR;
  (void)sys3(__NR_ioctl, slave, TCSETS, &terminal);
}

// /dev/console is the terminal: bound by descriptor (CVE-2025-52565 swapped the path in between).
static int bind_console(struct run *run, int slave) {
  AUTO_FD tree = (int)sys3(__NR_open_tree, slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | LAP_AT_EMPTY_PATH);
  if (tree < 0) return -tree;
  AUTO_FD at = make_beneath(run->root, "/dev/console", false, 0600);
  return at < 0 ? -at : move_to(tree, at);
}

static int become(int fd) {
  for (int target = 0; target < 3; target++) {
    long ret = sys3(__NR_dup3, fd, target, 0);
    if (ret < 0) return (int)-ret;
  }
  return 0;
}

static int take_terminal(struct run *run, uint32_t uid, uint32_t flags) {
  AUTO_FD master = open_master(run);
  if (master < 0) return fail_at(run, -master, "open", "/dev/pts/ptmx");
  AUTO_FD slave = open_slave(run, master, uid);
  if (slave < 0) return fail_at(run, -slave, "open pseudoterminal", "");
  if ((flags & PLAIN_NEWLINES) != 0) plain_newlines(slave);
  int error = (flags & WITH_CONSOLE) != 0 ? bind_console(run, slave) : 0;
  if (error != 0) return fail_at(run, error, "bind", "/dev/console");
  error = channel_send_fd(run->report, master);
  if (error != 0) return error;
  (void)sys0(__NR_setsid);
  long ret = sys3(__NR_ioctl, slave, TIOCSCTTY, 0);
  return ret < 0 ? fail_at(run, (int)-ret, "set controlling terminal", "") : become(slave);
}

// A user of the container must be able to open /dev/stdout: what is not a device becomes the user's.
static void give_to_user(int fd, uint32_t uid, uint32_t gid) {
  struct statx st;
  if ((uid | gid) == 0 || sys5(__NR_statx, fd, "", LAP_AT_EMPTY_PATH, STATX_TYPE, &st) < 0) return;
  if ((st.stx_mode & LAP_S_IFMT) != LAP_S_IFCHR) (void)sys3(__NR_fchown, fd, uid, gid);
}

static int take_pipes(struct run *run, uint32_t uid, uint32_t gid) {
  for (int i = 0; i < 3; i++) {
    long ret = run->stdio[i] < 0 ? 0 : sys3(__NR_dup3, run->stdio[i], i, 0);
    if (ret < 0) return (int)-ret;
    give_to_user(i, uid, gid);
  }
  (void)sys0(__NR_setsid);
  return 0;
}

int op_stdio(struct run *run, struct cursor *f) {
  uint32_t uid = get_u32(f);
  uint32_t gid = get_u32(f);
  uint32_t console = get_u32(f);
  if (f->bad) return EBADMSG;
  if ((run->plan->flags & PLAN_PTY) != 0) return take_terminal(run, uid, console);
  return take_pipes(run, uid, gid);
}
