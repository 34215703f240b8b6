// The sources of bind mounts: opened before the mounts where they cannot be later, and cloned for them (open_tree(2)).
#include <linux/fcntl.h>
#include <linux/mount.h>

#include "beneath.h"
#include "op_mount.h"
#include "sys.h"
#include "text.h"

// Sources that the mapped root may not reach are opened while this process still is the host's: user_namespaces(7).
int op_open_sources(struct run *run, struct cursor *f) {
  struct list paths = get_strs(f);
  if (f->bad || paths.count > MAX_SOURCES) return EBADMSG;
  run->sources = paths;
  for (uint32_t i = 0; i < paths.count; i++) {
    const char *path = get_str(&paths.items);
    run->source_fds[i] = sys_open(path, LAP_O_PATH, 0);
    if (run->source_fds[i] < 0) return fail_at(run, -run->source_fds[i], "open mount source", path);
  }
  return 0;
}

// A source in a directory where others write. CVE-2021-25741: a path there that is looked at first and opened again.
int op_open_beneath(struct run *run, struct cursor *f) {
  const char *source = get_str(f);
  const char *base = get_str(f);
  if (f->bad || run->beneath_count >= MAX_BENEATH) return EBADMSG;
  int fd = open_without_links(base, source);
  if (fd < 0) return fail_at(run, -fd, "open mount source", source);
  run->beneath[run->beneath_count] = source;
  run->beneath_fds[run->beneath_count++] = fd;
  return 0;
}

int opened_source(struct run *run, const char *source) {
  for (uint32_t i = 0; i < run->beneath_count; i++) {
    if (text_equal(run->beneath[i], source)) return run->beneath_fds[i];
  }
  struct list paths = run->sources;
  for (uint32_t i = 0; i < paths.count; i++) {
    if (text_equal(get_str(&paths.items), source)) return run->source_fds[i];
  }
  return -1;
}

int clone_tree(struct run *run, const char *source, bool recursive) {
  int opened = opened_source(run, source);
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? LAP_AT_RECURSIVE : 0U);
  if (opened >= 0) return (int)sys3(__NR_open_tree, opened, "", flags | LAP_AT_EMPTY_PATH);
  return (int)sys3(__NR_open_tree, LAP_AT_FDCWD, source, flags);
}
