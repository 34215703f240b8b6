// See copy.h. Nothing is followed: every name is opened with O_NOFOLLOW below an open directory.
#include "copy.h"

#include <asm/stat.h>

#include "sys.h"
#include "text.h"

#define MAX_DEPTH 64
#define S_IFLNK 0120000
#define CHUNK 0x7ffff000U

// struct linux_dirent64: getdents64(2).
struct entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

static int copy_directory(int from, int to, int depth);

static int set_owner(int dir, const char *name, const struct stat *st) {
  long ret = sys5(__NR_fchownat, dir, name, st->st_uid, st->st_gid, LAP_AT_SYMLINK_NOFOLLOW);
  bool is_link = (st->st_mode & LAP_S_IFMT) == S_IFLNK;
  if (ret == 0 && !is_link) ret = sys3(__NR_fchmodat, dir, name, st->st_mode & 07777U);
  return (int)-ret;
}

static int copy_file(int from, int to, const char *name) {
  AUTO_FD in = sys_openat(from, name, LAP_O_RDONLY | LAP_O_NOFOLLOW, 0);
  AUTO_FD out = sys_openat(to, name, LAP_O_WRONLY | LAP_O_CREAT | LAP_O_EXCL | LAP_O_NOFOLLOW, 0600);
  if (in < 0 || out < 0) return in < 0 ? -in : -out;
  for (;;) {
    long sent = sys4(__NR_sendfile, out, in, NULL, CHUNK);
    if (sent <= 0) return (int)-sent;
  }
}

static int copy_link(int from, int to, const char *name) {
  char target[4096];
  long got = sys4(__NR_readlinkat, from, name, target, sizeof target - 1);
  if (got < 0) return (int)-got;
  target[got] = 0;
  return (int)-sys3(__NR_symlinkat, target, to, name);
}

static int copy_below(int from, int to, const char *name, int depth) {
  int flags = LAP_O_RDONLY | LAP_O_DIRECTORY | LAP_O_NOFOLLOW;
  long ret = sys3(__NR_mkdirat, to, name, 0700);
  if (ret < 0) return (int)-ret;
  AUTO_FD in = sys_openat(from, name, flags, 0);
  AUTO_FD out = sys_openat(to, name, flags, 0);
  if (in < 0 || out < 0) return in < 0 ? -in : -out;
  return copy_directory(in, out, depth + 1);
}

static int copy_entry(int from, int to, const char *name, int depth) {
  struct stat st;
  long ret = sys4(__NR_newfstatat, from, name, &st, LAP_AT_SYMLINK_NOFOLLOW);
  if (ret < 0) return (int)-ret;
  unsigned type = st.st_mode & LAP_S_IFMT;
  int error = 0;
  if (type == LAP_S_IFREG) error = copy_file(from, to, name);
  else if (type == LAP_S_IFDIR) error = copy_below(from, to, name, depth);
  else if (type == S_IFLNK) error = copy_link(from, to, name);
  else return 0;
  return error == 0 ? set_owner(to, name, &st) : error;
}

static bool is_dots(const char *name) { return text_equal(name, ".") || text_equal(name, ".."); }

static int copy_directory(int from, int to, int depth) {
  char buffer[2048] __attribute__((aligned(8)));
  if (depth > MAX_DEPTH) return ELOOP;
  for (;;) {
    long got = sys3(__NR_getdents64, from, buffer, sizeof buffer);
    if (got <= 0) return (int)-got;
    for (long at = 0; at < got;) {
      const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
      int error = is_dots(entry->name) ? 0 : copy_entry(from, to, entry->name, depth);
      if (error != 0) return error;
      at += entry->length;
    }
  }
}

int copy_tree(int from, int to) {
  AUTO_FD in = sys_openat(from, ".", LAP_O_RDONLY | LAP_O_DIRECTORY, 0);
  AUTO_FD out = sys_openat(to, ".", LAP_O_RDONLY | LAP_O_DIRECTORY, 0);
  if (in < 0 || out < 0) return in < 0 ? -in : -out;
  struct stat st;
  long ret = sys4(__NR_newfstatat, in, "", &st, LAP_AT_EMPTY_PATH);
  int error = ret < 0 ? (int)-ret : copy_directory(in, out, 0);
  if (error == 0) error = (int)-sys2(__NR_fchmod, out, st.st_mode & 07777U);
  return error == 0 ? (int)-sys3(__NR_fchown, out, st.st_uid, st.st_gid) : error;
}
