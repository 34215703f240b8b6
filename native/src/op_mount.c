// Operations that mount: always a detached mount first (fsopen, open_tree), attributes on it, then moved onto a
// descriptor beneath the root. No target is ever named by a string that the kernel resolves a second time.
#include "op_mount.h"

#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "beneath.h"
#include "copy.h"
#include "sys.h"
#include "text.h"

int move_to(int tree, int target) {
  return (int)-sys5(__NR_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int set_attributes(int tree, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation) {
  if ((set | clear | propagation) == 0) return 0;
  // Setting an access-time mode means replacing the old one: mount_setattr(2).
  if ((set & MOUNT_ATTR__ATIME) != 0) clear |= MOUNT_ATTR__ATIME;
  struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
  unsigned flags = LAP_AT_EMPTY_PATH | (recursive ? LAP_AT_RECURSIVE : 0U);
  return (int)-sys5(__NR_mount_setattr, tree, "", flags, &attr, sizeof attr);
}

bool is_directory(int fd) {
  struct statx st;
  if (sys5(__NR_statx, fd, "", LAP_AT_EMPTY_PATH, STATX_TYPE, &st) < 0) return false;
  return (st.stx_mode & LAP_S_IFMT) == LAP_S_IFDIR;
}

// The kernel's own words about a refused mount are in the context descriptor, one message a read: fsopen(2).
int context_failure(struct run *run, int context, int error, const char *what) {
  char message[256];
  long got = sys_read(context, message, sizeof message - 1);
  if (got <= 0) return fail_at(run, error, what, "");
  if (message[got - 1] == '\n') got--;
  message[got] = 0;
  return fail_at(run, error, what, message);
}

static int set_string(int context, const char *key, const char *value) {
  return (int)-sys5(__NR_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}

// "key=value" sets a string, a bare "key" a flag: fsconfig(2).
int set_option(int context, const char *option) {
  char key[64];
  const char *equals = text_find(option, '=');
  if (equals == NULL) return (int)-sys5(__NR_fsconfig, context, FSCONFIG_SET_FLAG, option, NULL, 0);
  size_t length = (size_t)(equals - option);
  if (length >= sizeof key) return EINVAL;
  copy_bytes(key, option, length);
  key[length] = 0;
  return set_string(context, key, equals + 1);
}

static int make_filesystem_with(struct run *run, const char *type, const char *source, struct list options, uint64_t attr,
                                const char *more) {
  AUTO_FD context = (int)sys2(__NR_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) return -fail_at(run, -context, "open filesystem", type);
  if (source[0] != 0) (void)set_string(context, "source", source);
  for (uint32_t i = 0; i < options.count; i++) {
    const char *option = get_str(&options.items);
    int error = set_option(context, option);
    if (error != 0) return -context_failure(run, context, error, option);
  }
  if (more[0] != 0) (void)set_option(context, more);
  long ret = sys5(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (ret < 0) return -context_failure(run, context, (int)-ret, type);
  return (int)sys3(__NR_fsmount, context, FSMOUNT_CLOEXEC, attr);
}

int make_filesystem(struct run *run, const char *type, const char *source, struct list options, uint64_t attr) {
  return make_filesystem_with(run, type, source, options, attr, "");
}

int op_propagation(struct run *run, struct cursor *f) {
  (void)run;
  uint64_t propagation = get_u64(f);
  if (f->bad) return EBADMSG;
  struct mount_attr attr = {.propagation = propagation};
  return (int)-sys5(__NR_mount_setattr, LAP_AT_FDCWD, "/", LAP_AT_RECURSIVE, &attr, sizeof attr);
}

int op_root_propagation(struct run *run, struct cursor *f) {
  (void)run;
  uint64_t propagation = get_u64(f);
  uint32_t recursive = get_u32(f);
  if (f->bad) return EBADMSG;
  struct mount_attr attr = {.propagation = propagation};
  return (int)-sys5(__NR_mount_setattr, LAP_AT_FDCWD, "/", recursive != 0 ? LAP_AT_RECURSIVE : 0, &attr, sizeof attr);
}

static bool has_mode(struct list options) {
  for (uint32_t i = 0; i < options.count; i++) {
    const char *option = get_str(&options.items);
    if (option[0] == 'm' && option[1] == 'o' && option[2] == 'd' && option[3] == 'e' && option[4] == '=') return true;
  }
  return false;
}

// A tmpfs over a directory of the image takes that one's mode, unless told another: runc's and crun's rule.
static void mode_of_target(struct run *run, const char *target, char *option, size_t size) {
  struct statx st;
  AUTO_FD at = open_beneath(run->root, target, LAP_O_DIRECTORY);
  option[0] = 0;
  if (at < 0 || sys5(__NR_statx, at, "", LAP_AT_EMPTY_PATH, STATX_MODE, &st) < 0) return;
  struct text t = text_in(option, size);
  text_add(&t, "mode=0");
  for (int shift = 9; shift >= 0; shift -= 3) text_add_number(&t, (uint64_t)(st.stx_mode >> shift & 7));
}

static int mount_new(struct run *run, struct cursor *f, bool copy_up) {
  const char *type = get_str(f);
  const char *source = get_str(f);
  struct list options = get_strs(f);
  uint64_t attr = get_u64(f);
  uint64_t propagation = get_u64(f);
  const char *target = get_str(f);
  char mode[16] = "";
  if (f->bad) return EBADMSG;
  if (text_equal(type, "tmpfs") && !has_mode(options)) mode_of_target(run, target, mode, sizeof mode);
  AUTO_FD tree = make_filesystem_with(run, type, source, options, attr, mode);
  if (tree < 0) return -tree;
  int error = set_attributes(tree, false, 0, 0, propagation);
  if (error != 0) return fail_at(run, error, "set propagation of", target);
  AUTO_FD at = make_beneath(run->root, target, true, 0755);
  if (at < 0) return fail_at(run, -at, "open mount target", target);
  if (copy_up) error = copy_tree(at, tree);
  if (error != 0) return fail_at(run, error, "copy the image's content into", target);
  error = move_to(tree, at);
  return error == 0 ? 0 : fail_at(run, error, "mount on", target);
}

int op_mount_fs(struct run *run, struct cursor *f) { return mount_new(run, f, false); }

// tmpcopyup: the new filesystem starts with what the image has there.
int op_mount_copy_up(struct run *run, struct cursor *f) { return mount_new(run, f, true); }

// What a bind mount asks for besides its tree.
struct bind {
  const char *source;
  const char *target;
  uint64_t set;
  uint64_t clear;
  uint64_t recursive_set;
  uint64_t recursive_clear;
  uint64_t propagation;
  uint32_t propagate_all;
};

static void get_bind(struct cursor *f, struct bind *b) {
  b->set = get_u64(f);
  b->clear = get_u64(f);
  b->recursive_set = get_u64(f);
  b->recursive_clear = get_u64(f);
  b->propagation = get_u64(f);
  b->propagate_all = get_u32(f);
}

static int bind_tree(struct run *run, int tree, const struct bind *b) {
  int error = set_attributes(tree, b->propagate_all != 0, 0, 0, b->propagation);
  if (error == 0) error = set_attributes(tree, false, b->set, b->clear, 0);
  if (error == 0) error = set_attributes(tree, true, b->recursive_set, b->recursive_clear, 0);
  if (error != 0) return fail_at(run, error, "set mount attributes of", b->source);
  AUTO_FD at = make_beneath(run->root, b->target, is_directory(tree), is_directory(tree) ? 0755 : 0644);
  if (at < 0) return fail_at(run, -at, "open mount target", b->target);
  error = move_to(tree, at);
  return error == 0 ? 0 : fail_at(run, error, "mount on", b->target);
}

int op_mount_bind(struct run *run, struct cursor *f) {
  struct bind b = {.source = get_str(f), .target = NULL};
  b.target = get_str(f);
  uint32_t recursive = get_u32(f);
  get_bind(f, &b);
  if (f->bad) return EBADMSG;
  AUTO_FD tree = clone_tree(run, b.source, recursive != 0);
  if (tree < 0) return fail_at(run, -tree, "open mount source", b.source);
  return bind_tree(run, tree, &b);
}

// A bind mount whose ids were mapped before the clone: trees.h.
int op_mount_mapped(struct run *run, struct cursor *f) {
  struct bind b = {.source = get_str(f), .target = NULL};
  (void)get_u32(f);
  (void)get_u32(f);
  (void)get_u32s(f);
  (void)get_u32s(f);
  b.target = get_str(f);
  get_bind(f, &b);
  if (f->bad || run->next_tree >= run->trees->count) return EBADMSG;
  return bind_tree(run, run->trees->fds[run->next_tree++], &b);
}

int op_set_attr(struct run *run, struct cursor *f) {
  const char *target = get_str(f);
  uint64_t set = get_u64(f);
  if (f->bad) return EBADMSG;
  AUTO_FD at = open_beneath(run->root, target, 0);
  int error = at < 0 ? -at : set_attributes(at, false, set, 0, 0);
  return error == 0 ? 0 : fail_at(run, error, "set attributes of", target);
}
