// See trees.h. The kernel lets only the root of a filesystem's own user namespace map its mounts, so this cannot happen
// inside; the detached mounts reach the first process as descriptors, which clone3 hands down.
#include "trees.h"

#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <linux/wait.h>

#include "beneath.h"
#include "child.h"
#include "idmap.h"
#include "op_mount.h"
#include "sys.h"
#include "text.h"

// A namespace with the maps, without a process in it.
static int namespace_of(struct list uids, struct list gids) {
  char path[64];
  char byte;
  int pair[2];
  struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  long ret = sys2(__NR_pipe2, pair, LAP_O_CLOEXEC);
  if (ret < 0) return (int)ret;
  long pid = sys2(__NR_clone3, &args, sizeof args);
  if (pid == 0) {
    (void)sys_close(pair[1]);
    (void)sys_read(pair[0], &byte, 1);  // until the parent has closed its end
    lap_exit(0);
  }
  (void)sys_close(pair[0]);
  int fd = (int)pid;
  if (pid > 0) {
    int error = write_process_maps((uint64_t)pid, uids, gids);
    struct text t = text_in(path, sizeof path);
    text_add(&t, "/proc/");
    text_add_number(&t, (uint64_t)pid);
    text_add(&t, "/ns/user");
    fd = error != 0 ? -error : sys_open(path, LAP_O_RDONLY, 0);
  }
  (void)sys_close(pair[1]);
  if (pid > 0) (void)wait_child(pid, NULL);
  return fd;
}

// The directory that OP_OPEN_BENEATH names for a source; NULL for none.
static const char *base_of(const struct plan *plan, const char *source) {
  struct cursor ops = plan->ops;
  struct cursor f;
  uint32_t code;
  while (plan_next(&ops, &code, &f)) {
    if (code == OP_OPEN_BENEATH && text_equal(get_str(&f), source)) return get_str(&f);
  }
  return NULL;
}

static int cloned_tree(const char *base, const char *path, unsigned flags) {
  if (base == NULL) return (int)sys3(__NR_open_tree, LAP_AT_FDCWD, path, flags);
  AUTO_FD at = open_without_links(base, path);
  return at < 0 ? at : (int)sys3(__NR_open_tree, at, "", flags | LAP_AT_EMPTY_PATH);
}

static int mapped_tree(const char *base, const char *path, bool recursive, bool map_all, int space) {
  unsigned below = recursive ? LAP_AT_RECURSIVE : 0U;
  int tree = cloned_tree(base, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below);
  if (tree < 0) return tree;
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (__u64)(unsigned)space};
  unsigned flags = LAP_AT_EMPTY_PATH | (map_all ? LAP_AT_RECURSIVE : 0U);
  long ret = sys5(__NR_mount_setattr, tree, "", flags, &attr, sizeof attr);
  if (ret == 0) return tree;
  (void)sys_close(tree);
  return (int)ret;
}

// Fields of mountMapped up to what is needed here: the rest is the child's.
static int bind_tree(const struct plan *plan, struct cursor f, const char **detail) {
  const char *source = *detail = get_str(&f);
  uint32_t recursive = get_u32(&f);
  uint32_t map_all = get_u32(&f);
  struct list uids = get_u32s(&f);
  struct list gids = get_u32s(&f);
  if (f.bad) return -EBADMSG;
  AUTO_FD space = namespace_of(uids, gids);
  return space < 0 ? space : mapped_tree(base_of(plan, source), source, recursive != 0, map_all != 0, space);
}

// A detached mount ends with its descriptor, and the overlay takes its layers only when it is made.
static struct {
  int fds[512];
  uint32_t count;
} layers;

static int keep(int fd) {
  if (fd >= 0 && layers.count < sizeof layers.fds / sizeof layers.fds[0]) layers.fds[layers.count++] = fd;
  return fd;
}

static void close_layers(void) {
  while (layers.count > 0) (void)sys_close(layers.fds[--layers.count]);
}

static int add_layer(int context, const char *key, const char *path, int space) {
  int tree = keep(mapped_tree(NULL, path, false, false, space));
  if (tree < 0) return -tree;
  return (int)-sys5(__NR_fsconfig, context, FSCONFIG_SET_FD, key, NULL, tree);
}

// The upper and the work directory must be of one mount: their common directory is mapped.
static int add_upper(int context, const char *dir, const char *upper, const char *work, int space) {
  int tree = keep(mapped_tree(NULL, dir, false, false, space));
  if (tree < 0) return -tree;
  AUTO_FD up = sys_openat(tree, upper, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  AUTO_FD wk = sys_openat(tree, work, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  if (up < 0 || wk < 0) return up < 0 ? -up : -wk;
  long ret = sys5(__NR_fsconfig, context, FSCONFIG_SET_FD, "upperdir", NULL, up);
  if (ret == 0) ret = sys5(__NR_fsconfig, context, FSCONFIG_SET_FD, "workdir", NULL, wk);
  return (int)-ret;
}

static int set_options(int context, struct list options) {
  for (uint32_t i = 0; i < options.count; i++) {
    int error = set_option(context, get_str(&options.items));
    if (error != 0) return error;
  }
  return 0;
}

static int add_lowers(int context, struct list lowers, int space, const char **detail) {
  for (uint32_t i = 0; i < lowers.count; i++) {
    int error = add_layer(context, "lowerdir+", *detail = get_str(&lowers.items), space);
    if (error != 0) return error;
  }
  return 0;
}

// The kernel's own words: fsopen(2).
static const char *complaint_of(int context, const char *otherwise) {
  static char words[256];
  long got = sys_read(context, words, sizeof words - 1);
  if (got <= 0) return otherwise;
  words[got] = 0;
  return words;
}

static uint32_t outside_root(struct list map) {
  uint32_t inside = get_u32(&map.items);
  uint32_t outside = get_u32(&map.items);
  return inside == 0 ? outside : 0;
}

// An overlay works on its upper with the ids of who made it, and the host's root has no id there: the container's root makes
// it, with the host's capabilities (capabilities(7) "SECBIT_NO_SETUID_FIXUP").
static long create_as(int context, uint32_t uid, uint32_t gid) {
  long ret = sys5(__NR_prctl, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
  if (ret < 0) return ret;
  (void)sys1(__NR_setfsgid, gid);
  (void)sys1(__NR_setfsuid, uid);
  ret = sys5(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  (void)sys1(__NR_setfsuid, 0);
  (void)sys1(__NR_setfsgid, 0);
  (void)sys5(__NR_prctl, PR_SET_SECUREBITS, 0, 0, 0, 0);
  return ret;
}

static int overlay_tree(struct cursor f, const char **detail) {
  (void)get_str(&f);  // where the child puts it
  struct list lowers = get_strs(&f);
  const char *dir = get_str(&f);
  const char *upper = get_str(&f);
  const char *work = get_str(&f);
  struct list options = get_strs(&f);
  struct list uids = get_u32s(&f);
  struct list gids = get_u32s(&f);
  if (f.bad) return -EBADMSG;
  AUTO_FD space = namespace_of(uids, gids);
  AUTO_FD context = (int)sys2(__NR_fsopen, "overlay", FSOPEN_CLOEXEC);
  if (space < 0 || context < 0) return space < 0 ? space : context;
  (void)sys5(__NR_fsconfig, context, FSCONFIG_SET_STRING, "source", "overlay", 0);
  int error = set_options(context, options);
  if (error == 0) error = add_lowers(context, lowers, space, detail);
  if (error == 0) error = add_upper(context, *detail = dir, upper, work, space);
  long ret = error != 0 ? -error : create_as(context, outside_root(uids), outside_root(gids));
  close_layers();
  if (ret == 0) return (int)sys3(__NR_fsmount, context, FSMOUNT_CLOEXEC, 0);
  *detail = complaint_of(context, *detail);
  return (int)ret;
}

int trees_make(const struct plan *plan, struct trees *trees, const char **detail) {
  struct cursor ops = plan->ops;
  struct cursor fields;
  uint32_t code;
  while (plan_next(&ops, &code, &fields)) {
    if (code != OP_MOUNT_MAPPED && code != OP_ROOT_MAPPED) continue;
    if (trees->count >= MAX_TREES) return E2BIG;
    int fd = code == OP_MOUNT_MAPPED ? bind_tree(plan, fields, detail) : overlay_tree(fields, detail);
    if (fd < 0) return -fd;
    trees->fds[trees->count++] = fd;
  }
  return 0;
}

void trees_close(struct trees *trees) {
  while (trees->count > 0) (void)sys_close(trees->fds[--trees->count]);
}
