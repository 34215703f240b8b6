// Operations on files of the new root: devices, links, masked and read-only paths, sysctls.
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/stat.h>

#include "beneath.h"
#include "op_mount.h"
#include "sys.h"
#include "text.h"

static uint64_t device_number(uint32_t major, uint32_t minor) {
  return ((uint64_t)(major & 0xfffU) << 8) | (minor & 0xffU) | ((uint64_t)(minor & ~0xffU) << 12);
}

int op_mknod(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  uint32_t mode = get_u32(f);
  uint32_t major = get_u32(f);
  uint32_t minor = get_u32(f);
  uint32_t uid = get_u32(f);
  uint32_t gid = get_u32(f);
  if (f->bad) return EBADMSG;
  const char *name;
  AUTO_FD dir = parent_beneath(run->root, path, &name);
  if (dir < 0) return fail_at(run, -dir, "open directory of device", path);
  long ret = sys4(__NR_mknodat, dir, name, mode, device_number(major, minor));
  if (ret == -EEXIST) return 0;
  if (ret == 0 && (uid | gid) != 0) ret = sys5(__NR_fchownat, dir, name, uid, gid, LAP_AT_SYMLINK_NOFOLLOW);
  return ret < 0 ? fail_at(run, (int)-ret, "make device", path) : 0;
}

int op_symlink(struct run *run, struct cursor *f) {
  const char *target = get_str(f);
  const char *path = get_str(f);
  if (f->bad) return EBADMSG;
  const char *name;
  AUTO_FD dir = parent_beneath(run->root, path, &name);
  if (dir < 0) return fail_at(run, -dir, "open directory of link", path);
  long ret = sys3(__NR_symlinkat, target, dir, name);
  return ret < 0 && ret != -EEXIST ? fail_at(run, (int)-ret, "make link", path) : 0;
}

static int clone_of(int dir, const char *path, bool recursive) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | LAP_AT_EMPTY_PATH | (recursive ? LAP_AT_RECURSIVE : 0U);
  return (int)sys3(__NR_open_tree, dir, path, flags);
}

static int empty_directory(struct run *run) {
  if (run->empty >= 0) return 0;
  struct list none = {.count = 0};
  run->empty = make_filesystem(run, "tmpfs", "tmpfs", none, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  return run->empty < 0 ? -run->empty : 0;
}

// Before 6.15 only a mount that is attached can be cloned: there the first directory to hide gets the tmpfs itself.
static int empty_cover(struct run *run) {
  int error = empty_directory(run);
  if (error != 0) return -error;
  int fd = clone_of(run->empty, "", false);
  return fd == -EINVAL ? (int)sys3(__NR_fcntl, run->empty, 1030 /* F_DUPFD_CLOEXEC */, 3) : fd;
}

// CVE-2025-31133: what hides a file must be the null device itself, whatever the image put at /dev/null.
static int null_device(struct run *run) {
  AUTO_FD fd = open_beneath(run->root, "/dev/null", LAP_O_NOFOLLOW);
  struct statx st;
  if (fd < 0) return fd;
  if (sys5(__NR_statx, fd, "", LAP_AT_EMPTY_PATH, STATX_TYPE, &st) < 0) return -EIO;
  bool genuine = (st.stx_mode & LAP_S_IFMT) == LAP_S_IFCHR && st.stx_rdev_major == 1 && st.stx_rdev_minor == 3;
  return genuine ? clone_of(fd, "", false) : -ENODEV;
}

int op_mask(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  if (f->bad) return EBADMSG;
  AUTO_FD at = open_beneath(run->root, path, 0);
  if (at == -ENOENT || at == -ENOTDIR || at == -EACCES) return 0;
  if (at < 0) return fail_at(run, -at, "open masked path", path);
  AUTO_FD cover = is_directory(at) ? empty_cover(run) : null_device(run);
  if (cover < 0) return fail_at(run, -cover, "mask", path);
  int error = move_to(cover, at);
  return error == 0 ? 0 : fail_at(run, error, "mask", path);
}

int op_readonly(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  if (f->bad) return EBADMSG;
  AUTO_FD at = open_beneath(run->root, path, 0);
  if (at == -ENOENT || at == -ENOTDIR) return 0;
  if (at < 0) return fail_at(run, -at, "open read-only path", path);
  AUTO_FD tree = clone_of(at, "", true);
  int error = tree < 0 ? -tree : set_attributes(tree, true, MOUNT_ATTR_RDONLY, 0, 0);
  if (error == 0) error = move_to(tree, at);
  return error == 0 ? 0 : fail_at(run, error, "make read-only", path);
}

// A procfs of our own, never the image's or the container's: CVE-2019-16884, CVE-2025-52881.
static int private_proc(struct run *run) {
  if (run->proc >= 0) return 0;
  struct list none = {.count = 0};
  run->proc = make_filesystem(run, "proc", "proc", none, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  return run->proc < 0 ? -run->proc : 0;
}

int op_sysctl(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  const char *value = get_str(f);
  if (f->bad) return EBADMSG;
  int error = private_proc(run);
  if (error != 0) return error;
  AUTO_FD fd = sys_openat(run->proc, path, LAP_O_WRONLY | LAP_O_NOFOLLOW, 0);
  if (fd < 0) return fail_at(run, -fd, "open sysctl", path);
  error = write_all(fd, value, text_length(value));
  return error == 0 ? 0 : fail_at(run, error, "set sysctl", path);
}

int op_mkdir_all(struct run *run, struct cursor *f) {
  const char *path = get_str(f);
  uint32_t mode = get_u32(f);
  if (f->bad) return EBADMSG;
  AUTO_FD fd = make_beneath(run->root, path, true, mode);
  return fd < 0 ? fail_at(run, -fd, "make directory", path) : 0;
}
