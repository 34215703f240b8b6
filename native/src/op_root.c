// Operations that make the root filesystem and enter it: the overlay (Documentation/filesystems/overlayfs.rst), pivot_root(2).
#include <linux/fcntl.h>
#include <linux/mount.h>

#include "op_mount.h"
#include "op_root.h"
#include "sys.h"
#include "text.h"

// Layers go in as descriptors where the kernel takes them (6.13), so no path is parsed or resolved twice; as strings before.
static int set_layer(int context, const char *key, const char *path) {
  AUTO_FD fd = sys_open(path, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  if (fd < 0) return -fd;
  long ret = sys5(__NR_fsconfig, context, FSCONFIG_SET_FD, key, NULL, fd);
  // Before that, a context wants a string (EINVAL), or does not look at O_PATH descriptors (EBADF).
  if (ret == -EINVAL || ret == -EBADF) ret = sys5(__NR_fsconfig, context, FSCONFIG_SET_STRING, key, path, 0);
  return (int)-ret;
}

static int overlay_context(struct run *run, int context, const struct overlay *overlay) {
  struct list lowers = overlay->lowers;
  for (uint32_t i = 0; i < lowers.count; i++) {
    const char *path = get_str(&lowers.items);
    int error = set_layer(context, "lowerdir+", path);
    if (error != 0) return fail_at(run, error, "overlay lower layer", path);
  }
  if (overlay->upper[0] == 0) return 0;
  int error = set_layer(context, "upperdir", overlay->upper);
  if (error != 0) return context_failure(run, context, error, "overlay upper layer");
  error = set_layer(context, "workdir", overlay->work);
  return error == 0 ? 0 : context_failure(run, context, error, "overlay work directory");
}

static int overlay_options(struct run *run, int context, struct list options) {
  for (uint32_t i = 0; i < options.count; i++) {
    const char *option = get_str(&options.items);
    int error = set_option(context, option);
    if (error != 0) return context_failure(run, context, error, option);
  }
  return 0;
}

int attach_root(struct run *run, int tree, const char *at) {
  int opened = opened_source(run, at);
  AUTO_FD target = opened >= 0 ? (int)sys3(__NR_fcntl, opened, 1030 /* F_DUPFD_CLOEXEC */, 3)
                               : sys_open(at, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  if (target < 0) return fail_at(run, -target, "open", at);
  int error = move_to(tree, target);
  return error == 0 ? 0 : fail_at(run, error, "mount the root filesystem on", at);
}

// An overlay without an upper wants two lowers: an empty tmpfs on `at`, which the overlay will cover, is the other one.
static int add_empty_lower(struct run *run, int context, const char *at) {
  AUTO_FD tmpfs = (int)sys2(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  if (tmpfs < 0) return fail_at(run, -tmpfs, "open filesystem", "tmpfs");
  long ret = sys5(__NR_fsconfig, tmpfs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (ret < 0) return context_failure(run, tmpfs, (int)-ret, "tmpfs");
  AUTO_FD tree = (int)sys3(__NR_fsmount, tmpfs, FSMOUNT_CLOEXEC, 0);
  if (tree < 0) return fail_at(run, -tree, "mount tmpfs", "");
  int error = attach_root(run, tree, at);
  if (error != 0) return error;
  error = set_layer(context, "lowerdir+", at);
  return error == 0 ? 0 : fail_at(run, error, "overlay lower layer", at);
}

static int overlay_by_context(struct run *run, int context, const char *at, const struct overlay *overlay) {
  (void)sys5(__NR_fsconfig, context, FSCONFIG_SET_STRING, "source", "overlay", 0);
  int error = overlay_options(run, context, overlay->options);
  if (error == 0) error = overlay_context(run, context, overlay);
  if (error == 0 && overlay->upper[0] == 0 && overlay->lowers.count == 1) error = add_empty_lower(run, context, at);
  if (error != 0) return error;
  long ret = sys5(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (ret < 0) return context_failure(run, context, (int)-ret, "overlay");
  run->root = (int)sys3(__NR_fsmount, context, FSMOUNT_CLOEXEC, 0);
  if (run->root < 0) return fail_at(run, -run->root, "mount overlay", "");
  return attach_root(run, run->root, at);
}

int op_root_overlay(struct run *run, struct cursor *f) {
  const char *at = get_str(f);
  struct overlay overlay = {.lowers = get_strs(f)};
  overlay.upper = get_str(f);
  overlay.work = get_str(f);
  overlay.options = get_strs(f);
  if (f->bad) return EBADMSG;
  AUTO_FD context = (int)sys2(__NR_fsopen, "overlay", FSOPEN_CLOEXEC);
  if (context < 0) return fail_at(run, -context, "open filesystem", "overlay");
  if (takes_anything(context)) return overlay_by_mount(run, at, &overlay);
  return overlay_by_context(run, context, at, &overlay);
}

// An overlay of mapped layers, mounted before the clone: trees.h.
int op_root_mapped(struct run *run, struct cursor *f) {
  const char *at = get_str(f);
  if (f->bad || run->next_tree >= run->trees->count) return EBADMSG;
  run->root = run->trees->fds[run->next_tree++];
  return attach_root(run, run->root, at);
}

int op_root_bind(struct run *run, struct cursor *f) {
  const char *at = get_str(f);
  const char *path = get_str(f);
  uint32_t recursive = get_u32(f);
  if (f->bad) return EBADMSG;
  run->root = clone_tree(run, path, recursive != 0);
  if (run->root < 0) return fail_at(run, -run->root, "open root filesystem", path);
  if (!is_directory(run->root)) return fail_at(run, ENOTDIR, "root filesystem", path);
  return attach_root(run, run->root, at);
}

// pivot_root(2), "pivot_root(".", ".")": the old root ends up stacked on the new one and is detached from there.
int op_pivot(struct run *run, struct cursor *f) {
  (void)f;
  long ret = sys1(__NR_fchdir, run->root);
  if (ret == 0) ret = sys2(__NR_pivot_root, ".", ".");
  if (ret == 0) ret = sys2(__NR_umount2, ".", 2 /* MNT_DETACH */);
  if (ret == 0) ret = sys1(__NR_chdir, "/");
  return ret < 0 ? fail_at(run, (int)-ret, "pivot root", "") : 0;
}

int op_root_readonly(struct run *run, struct cursor *f) {
  (void)f;
  return set_attributes(run->root, false, MOUNT_ATTR_RDONLY, 0, 0);
}

// Without a mount namespace of its own a container shares the caller's mounts: its own lie beneath the directory, and
// whoever deletes it takes them away.
int op_root_open(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  if (f->bad) return EBADMSG;
  run->root = sys_open(path, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  return run->root < 0 ? fail_at(run, -run->root, "open root filesystem", path) : 0;
}

int op_chroot(struct run *run, struct cursor *f) {
  (void)f;
  long ret = sys1(__NR_fchdir, run->root);
  if (ret == 0) ret = sys1(__NR_chroot, ".");
  if (ret == 0) ret = sys1(__NR_chdir, "/");
  return ret < 0 ? fail_at(run, (int)-ret, "change root", "") : 0;
}
