// The last operations: finding the program along PATH as runc does (texts are an interface: engines pick exit code 126
// or 127 by them) and becoming it. execve(2), environ(7).
#include <linux/close_range.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <asm/stat.h>

#include "channel.h"
#include "run.h"
#include "sys.h"
#include "text.h"

#define X_OK 1

static int fail_exec(struct run *run, uint32_t kind, int error, const char *program, const char *why) {
  struct text t = text_in(run->detail, sizeof run->detail);
  text_add(&t, "exec: \"");
  text_add(&t, program);
  text_add(&t, "\": ");
  text_add(&t, why);
  run->fail_kind = kind;
  return error;
}

// Old calls on purpose: the filter may be in place already, and profiles older than statx and faccessat2 forbid those. What
// the filter does not let us see, execve will tell.
static int executable(const char *path) {
  struct stat st;
  long ret = sys4(__NR_newfstatat, LAP_AT_FDCWD, path, &st, 0);
  if (ret == -EPERM || ret == -ENOSYS) return 0;
  if (ret < 0) return (int)-ret;
  if ((st.st_mode & LAP_S_IFMT) == LAP_S_IFDIR) return EISDIR;
  ret = sys4(__NR_faccessat2, LAP_AT_FDCWD, path, X_OK, 0x200 /* AT_EACCESS: capabilities count */);
  if (ret == -EPERM || ret == -ENOSYS) ret = sys3(__NR_faccessat, LAP_AT_FDCWD, path, X_OK);
  return ret == -EPERM || ret == -ENOSYS ? 0 : (int)-ret;
}

static const char *search_path(struct list env) {
  const char *found = NULL;
  for (uint32_t i = 0; i < env.count; i++) {
    const char *entry = get_str(&env.items);
    if (entry[0] == 'P' && entry[1] == 'A' && entry[2] == 'T' && entry[3] == 'H' && entry[4] == '=') found = entry + 5;
  }
  return found == NULL ? "" : found;
}

// Go's exec.LookPath: a candidate that may not be executed is remembered, the search goes on.
static int look_up(struct run *run, const char *program, const char *path) {
  int seen = ENOENT;
  while (*path != 0) {
    size_t length = 0;
    while (path[length] != 0 && path[length] != ':') length++;
    struct text t = text_in(run->exec_path, sizeof run->exec_path);
    text_add_bytes(&t, length == 0 ? "." : path, length == 0 ? 1 : length);
    text_add(&t, "/");
    text_add(&t, program);
    int error = t.full ? ENAMETOOLONG : executable(run->exec_path);
    if (error == 0) return 0;
    if (error == EACCES || error == EISDIR) seen = error;
    path += length + (path[length] == ':' ? 1 : 0);
  }
  return seen;
}

// runc's words: exec: "/x": stat /x: no such file or directory
static int explain_missing(struct run *run, const char *program) {
  char reason[512];
  struct text t = text_in(reason, sizeof reason);
  text_add(&t, "stat ");
  text_add(&t, program);
  text_add(&t, ": no such file or directory");
  return fail_exec(run, FAIL_NOT_FOUND, ENOENT, program, t.full ? "no such file or directory" : reason);
}

static int explain(struct run *run, int error, const char *program, bool searched) {
  if (error == EACCES) return fail_exec(run, FAIL_PERMISSION, error, program, "permission denied");
  if (error == EISDIR && !searched) return fail_exec(run, FAIL_PERMISSION, error, program, "is a directory");
  if (error == ENOTDIR) return fail_exec(run, FAIL_PERMISSION, error, program, "not a directory");
  if (searched) return fail_exec(run, FAIL_NOT_FOUND, ENOENT, program, "executable file not found in $PATH");
  if (error == ENOENT) return explain_missing(run, program);
  return fail_exec(run, FAIL_OTHER, error, program, "cannot be examined");
}

int op_find_exec(struct run *run, struct cursor *f) {
  const char *program = get_str(f);
  struct list env = get_strs(f);
  if (f->bad) return EBADMSG;
  if (program[0] == 0) return explain(run, ENOENT, program, true);
  if (text_find(program, '/') == NULL) {
    int error = look_up(run, program, search_path(env));
    return error == 0 ? 0 : explain(run, error, program, true);
  }
  struct text t = text_in(run->exec_path, sizeof run->exec_path);
  text_add(&t, program);
  int error = t.full ? ENAMETOOLONG : executable(program);
  return error == 0 ? 0 : explain(run, error, program, false);
}

// The one allocation after the plan is read: pointers for execve, as many as the plan says.
const char **exec_pointers(struct list list) {
  size_t bytes = ((size_t)list.count + 1) * sizeof(char *);
  long at = sys6(__NR_mmap, 0, bytes, 0x3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at < 0 && at > -4096) return NULL;
  const char **array = (const char **)at;
  for (uint32_t i = 0; i < list.count; i++) array[i] = get_str(&list.items);
  return array;
}

static bool is_home(const char *entry) {
  return entry[0] == 'H' && entry[1] == 'O' && entry[2] == 'M' && entry[3] == 'E' && entry[4] == '=';
}

const char **exec_environment(struct run *run, struct list env) {
  size_t bytes = ((size_t)env.count + 2) * sizeof(char *);
  long at = sys6(__NR_mmap, 0, bytes, 0x3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at < 0 && at > -4096) return NULL;
  const char **array = (const char **)at;
  size_t n = 0;
  for (uint32_t i = 0; i < env.count; i++) {
    const char *entry = get_str(&env.items);
    if (run->home[0] == 0 || !is_home(entry)) array[n++] = entry;
  }
  if (run->home[0] != 0) array[n] = run->home;
  return array;
}

// name:password:uid:gid:gecos:home:shell; the start of field `index` and its length.
static const char *field_of(const char *line, size_t length, int index, size_t *size) {
  const char *end = line + length;
  const char *at = line;
  for (; index > 0 && at < end; at++) {
    if (*at == ':') index--;
  }
  *size = 0;
  while (at + *size < end && at[*size] != ':') (*size)++;
  return at;
}

static bool is_number(const char *at, size_t size, uint32_t number) {
  uint64_t value = 0;
  if (size == 0 || size > 10) return false;
  for (size_t i = 0; i < size; i++) {
    if (at[i] < '0' || at[i] > '9') return false;
    value = value * 10 + (uint64_t)(at[i] - '0');
  }
  return value == number;
}

static bool take_home(struct run *run, const char *line, size_t length, uint32_t uid) {
  size_t size;
  const char *at = field_of(line, length, 2, &size);
  if (!is_number(at, size, uid)) return false;
  at = field_of(line, length, 5, &size);
  struct text t = text_in(run->home, sizeof run->home);
  text_add(&t, "HOME=");
  text_add_bytes(&t, at, size);
  if (!t.full && size > 0) return true;
  run->home[0] = 0;
  return false;
}

// The container's own passwd(5) says where a user is at home; "/" for who is not in it. Longer files than the buffer are rare and
// their first users the ones that count.
int op_home(struct run *run, struct cursor *f) {
  static char passwd[65536];
  uint32_t uid = get_u32(f);
  if (f->bad) return EBADMSG;
  AUTO_FD fd = sys_open("/etc/passwd", LAP_O_RDONLY | LAP_O_NONBLOCK | LAP_O_NOCTTY, 0);
  long length = fd < 0 ? 0 : sys_read(fd, passwd, sizeof passwd);
  for (long at = 0; at < length;) {
    long end = at;
    while (end < length && passwd[end] != '\n') end++;
    if (take_home(run, passwd + at, (size_t)(end - at), uid)) return 0;
    at = end + 1;
  }
  struct text t = text_in(run->home, sizeof run->home);
  text_add(&t, "HOME=/");
  return 0;
}

void exec_reset_signals(void) {
  struct {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
  } action = {0};
  uint64_t none = 0;
  for (int signal = 1; signal <= 64; signal++) (void)sys4(__NR_rt_sigaction, signal, &action, NULL, sizeof none);
  (void)sys4(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, NULL, sizeof none);
}

static int explain_execve(struct run *run, int error, const char *program) {
  if (error == ENOEXEC) return fail_exec(run, FAIL_OTHER, error, program, "exec format error");
  if (error == ENOENT) return fail_exec(run, FAIL_NOT_FOUND, error, program, "no such file or directory");
  if (error == EACCES || error == EPERM) return fail_exec(run, FAIL_PERMISSION, error, program, "permission denied");
  if (error == E2BIG) return fail_exec(run, FAIL_OTHER, error, program, "argument list too long");
  return fail_exec(run, FAIL_OTHER, error, program, "cannot be executed");
}

// They came in behind the helper's own two descriptors; everything opened since lies above them.
static void move_preserved(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) (void)sys3(__NR_dup3, 5 + i, 3 + i, 0);
}

int op_exec(struct run *run, struct cursor *f) {
  struct list args = get_strs(f);
  struct list env = get_strs(f);
  if (f->bad || args.count == 0) return EBADMSG;
  const char **argv = exec_pointers(args);
  const char **envp = exec_environment(run, env);
  if (argv == NULL || envp == NULL) return ENOMEM;
  // Set here because a change of credentials clears it: prctl(2) PR_SET_PDEATHSIG.
  bool supervised = (run->plan->flags & PLAN_UNSUPERVISED) == 0;
  if (supervised) (void)sys5(__NR_prctl, PR_SET_PDEATHSIG, 9, 0, 0, 0);
  // A supervisor that died before that line sends no signal any more; its end of the channel is closed then.
  if (supervised && channel_is_closed(run->report)) lap_exit(127);
  move_preserved(run->plan->preserve);
  (void)sys3(__NR_close_range, 3 + run->plan->preserve, ~0U, CLOSE_RANGE_CLOEXEC);
  exec_reset_signals();
  long ret = sys3(__NR_execve, run->exec_path, argv, envp);
  return explain_execve(run, (int)-ret, argv[0]);
}
