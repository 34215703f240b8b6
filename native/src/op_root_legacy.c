// The overlay on kernels whose overlayfs has no parameters of its own for fsconfig(2) (before 6.5): there the context takes
// any key, 255 bytes each, so the layers go in one string of mount(2), as descriptors under /proc/self/fd: the string has
// one page, which a cut path would turn into another directory.
#include <linux/fcntl.h>
#include <linux/mount.h>

#include "op_mount.h"
#include "op_root.h"
#include "sys.h"
#include "text.h"

#define PAGE 4096
#define MOUNTPOINT "root"
#define EMPTY "empty"

bool takes_anything(int context) {
  char complaint[128];
  if (sys5(__NR_fsconfig, context, FSCONFIG_SET_FLAG, "lapstrake", NULL, 0) == 0) return true;
  (void)sys_read(context, complaint, sizeof complaint);  // else it would stand before the next one
  return false;
}

static void add_descriptor(struct text *t, int fd) {
  text_add(t, "/proc/self/fd/");
  text_add_number(t, (uint64_t)fd);
}

// Descriptors stay open until the process executes: the mount needs them by name.
static int add_layer(struct run *run, struct text *t, const char *before, const char *path) {
  int fd = sys_open(path, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  if (fd < 0) return fail_at(run, -fd, "overlay layer", path);
  text_add(t, before);
  add_descriptor(t, fd);
  return 0;
}

static int add_lowers(struct run *run, struct text *t, struct list lowers) {
  for (uint32_t i = 0; i < lowers.count; i++) {
    int error = add_layer(run, t, i == 0 ? "lowerdir=" : ":", get_str(&lowers.items));
    if (error != 0) return error;
  }
  return 0;
}

static int add_upper(struct run *run, struct text *t, const struct overlay *overlay) {
  if (overlay->upper[0] == 0) return 0;
  int error = add_layer(run, t, ",upperdir=", overlay->upper);
  return error != 0 ? error : add_layer(run, t, ",workdir=", overlay->work);
}

// Without an upper overlayfs wants two lowers.
static void add_empty(struct text *t, int place) {
  text_add(t, ":");
  add_descriptor(t, place);
  text_add(t, "/" EMPTY);
}

static void add_options(struct text *t, struct list options) {
  for (uint32_t i = 0; i < options.count; i++) {
    text_add(t, ",");
    text_add(t, get_str(&options.items));
  }
}

// mount(2) wants a path: a directory of an own tmpfs, which stands where the root is wanted. The tmpfs, or negative errno.
static int make_place(struct run *run, const char *at) {
  AUTO_FD context = (int)sys2(__NR_fsopen, "tmpfs", FSOPEN_CLOEXEC);
  long ret = context < 0 ? context : sys5(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (ret < 0) return (int)ret;
  int tree = (int)sys3(__NR_fsmount, context, FSMOUNT_CLOEXEC, 0);
  int error = tree < 0 ? 0 : attach_root(run, tree, at);
  if (error != 0) return -error;
  ret = tree < 0 ? tree : sys3(__NR_mkdirat, tree, MOUNTPOINT, 0755);
  if (ret == 0) ret = sys3(__NR_mkdirat, tree, EMPTY, 0755);
  return ret < 0 ? (int)ret : tree;
}

static int mount_in(struct run *run, int place, const char *data) {
  char path[64];
  struct text t = text_in(path, sizeof path);
  add_descriptor(&t, place);
  text_add(&t, "/" MOUNTPOINT);
  long ret = sys5(__NR_mount, "overlay", path, "overlay", 0, data);
  if (ret < 0) return fail_at(run, (int)-ret, "mount overlay", data);
  run->root = sys_openat(place, MOUNTPOINT, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  return run->root < 0 ? -run->root : 0;
}

int overlay_by_mount(struct run *run, const char *at, struct overlay *overlay) {
  static char data[PAGE];
  struct text t = text_in(data, sizeof data);
  bool is_lonely = overlay->upper[0] == 0 && overlay->lowers.count == 1;
  int error = add_lowers(run, &t, overlay->lowers);
  if (error == 0 && !is_lonely) error = add_upper(run, &t, overlay);
  if (error != 0) return error;
  AUTO_FD place = make_place(run, at);
  if (place < 0) return fail_at(run, -place, "make a place for the overlay on", at);
  if (is_lonely) add_empty(&t, place);
  add_options(&t, overlay->options);
  if (t.full) return fail_at(run, E2BIG, "this kernel takes one page of layers for an overlay", "");
  return mount_in(run, place, data);
}
