// See beneath.h. CVE-2021-30465, CVE-2024-45310: a target that is checked by path and mounted by path can be swapped in
// between, so every target becomes a descriptor first and stays one.
#include "beneath.h"

#include <linux/openat2.h>
#include <linux/stat.h>

#include "sys.h"
#include "text.h"

#define MAX_PATH 4096
#define MAX_RETRIES 128
#define MAX_LINKS 40

// EAGAIN: the kernel saw a rename during the walk and could not tell whether it stayed inside; ask again.
static int resolve(int root, const char *path, uint64_t flags, uint64_t resolve_flags) {
  struct open_how how = {.flags = flags | LAP_O_CLOEXEC, .mode = 0, .resolve = resolve_flags};
  for (int i = 0; i < MAX_RETRIES; i++) {
    long fd = sys4(__NR_openat2, root, path, &how, sizeof how);
    if (fd != -EAGAIN) return (int)fd;
  }
  return -EAGAIN;
}

int open_beneath(int root, const char *path, uint64_t flags) {
  return resolve(root, path, flags | LAP_O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int open_without_links(const char *base, const char *path) {
  size_t length = text_length(base);
  for (size_t i = 0; i < length; i++) {
    if (path[i] != base[i]) return -EINVAL;
  }
  if (path[length] != '/') return -EINVAL;
  while (path[length] == '/') length++;
  AUTO_FD at = sys_open(base, LAP_O_PATH | LAP_O_DIRECTORY, 0);
  if (at < 0 || path[length] == 0) return at < 0 ? at : -EINVAL;
  return resolve(at, path + length, LAP_O_PATH, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static int make_one(int parent, const char *name, bool directory, unsigned mode) {
  if (directory) return (int)-sys3(__NR_mkdirat, parent, name, mode);
  int fd = sys_openat(parent, name, LAP_O_CREAT | LAP_O_EXCL | LAP_O_WRONLY | LAP_O_NOFOLLOW, mode);
  if (fd < 0) return -fd;
  return (int)-sys_close(fd);
}

// A path that is being walked.
struct walk {
  char path[MAX_PATH];
  size_t length;
  int links;
};

// Replaces the dangling link that ends at `end` by its target, so that making continues where the link points.
static int follow_dangling(int root, struct walk *w, size_t start, size_t end) {
  char target[MAX_PATH];
  AUTO_FD parent = open_beneath(root, start <= 1 ? "/" : w->path, LAP_O_DIRECTORY);
  if (parent < 0) return -parent;
  long got = sys4(__NR_readlinkat, parent, w->path + start, target, sizeof target - 1);
  if (got < 0) return (int)-got;
  if (++w->links > MAX_LINKS) return ELOOP;
  target[got] = 0;
  char next[MAX_PATH];
  struct text t = text_in(next, sizeof next);
  if (target[0] != '/' && start > 1) text_add(&t, w->path);
  if (target[0] != '/') text_add(&t, "/");
  text_add(&t, target);
  if (end < w->length) text_add(&t, "/"), text_add(&t, w->path + end + 1);
  if (t.full) return ENAMETOOLONG;
  copy_bytes(w->path, next, t.length + 1);
  w->length = t.length;
  return 0;
}

static size_t component_end(const struct walk *w, size_t from) {
  size_t end = from;
  while (end < w->length && w->path[end] != '/') end++;
  return end;
}

// Makes the component [start, end) below the resolved part when it is missing.
static int make_component(int root, struct walk *w, size_t start, size_t end, bool directory, unsigned mode) {
  char saved = w->path[end];
  w->path[end] = 0;
  AUTO_FD there = open_beneath(root, w->path, 0);
  int error = there < 0 ? -there : 0;
  if (error == ENOENT) {
    char before = start == 0 ? 0 : w->path[start - 1];
    if (start > 0) w->path[start - 1] = 0;
    AUTO_FD parent = open_beneath(root, start <= 1 ? "/" : w->path, LAP_O_DIRECTORY);
    error = parent < 0 ? -parent : make_one(parent, w->path + start, directory, mode);
    if (error == EEXIST) {
      error = follow_dangling(root, w, start, end);
      if (error == 0) return EAGAIN;
    }
    if (start > 0) w->path[start - 1] = before;
  }
  w->path[end] = saved;
  return error;
}

// The usual case: only the last component is missing. ENOENT when the rest is missing too, or a dangling link is in the way.
static int make_last(int root, const char *path, bool directory, unsigned mode) {
  char dir[MAX_PATH];
  size_t slash = text_length(path);
  if (slash >= sizeof dir) return -ENAMETOOLONG;
  while (slash > 0 && path[slash - 1] != '/') slash--;
  if (path[slash] == 0) return -ENOENT;
  copy_bytes(dir, path, slash);
  dir[slash] = 0;
  AUTO_FD parent = open_beneath(root, slash == 0 ? "/" : dir, LAP_O_DIRECTORY);
  if (parent < 0) return parent;
  int error = make_one(parent, path + slash, directory, mode);
  if (error != 0) return error == EEXIST ? -ENOENT : -error;
  return sys_openat(parent, path + slash, LAP_O_PATH | LAP_O_NOFOLLOW, 0);
}

int make_beneath(int root, const char *path, bool directory, unsigned mode) {
  struct walk w = {.length = text_length(path), .links = 0};
  int found = open_beneath(root, path, 0);
  if (found == -ENOENT) found = make_last(root, path, directory, mode);
  if (found != -ENOENT) return found;
  if (w.length >= sizeof w.path) return -ENAMETOOLONG;
  copy_bytes(w.path, path, w.length + 1);
  for (size_t at = 0; at < w.length;) {
    size_t end = component_end(&w, at);
    bool last = end >= w.length;
    int error = end == at ? 0 : make_component(root, &w, at, end, last ? directory : true, last ? mode : 0755);
    if (error == EAGAIN) {
      at = 0;
      continue;
    }
    if (error != 0) return -error;
    at = end + 1;
  }
  return open_beneath(root, w.path, 0);
}

int parent_beneath(int root, const char *path, const char **name) {
  char dir[MAX_PATH];
  size_t length = text_length(path);
  size_t slash = length;
  while (slash > 0 && path[slash - 1] != '/') slash--;
  if (length >= sizeof dir || slash == length) return -EINVAL;
  *name = path + slash;
  if (text_equal(*name, "..") || text_equal(*name, ".")) return -EINVAL;
  copy_bytes(dir, path, slash);
  dir[slash] = 0;
  return make_beneath(root, slash == 0 ? "/" : dir, true, 0755);
}
