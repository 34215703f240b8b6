// Random filesystem operations with a printed transcript: fsops DIR SEED COUNT.
// The same seed must print the same lines natively on the kernel's overlayfs and as Wasm on the union filesystem.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPERATIONS = 12, NAMES = 8, PLACES = 4, MAX_WRITE = 5000, MAX_ENTRIES = 64 };

static uint32_t state;

static uint32_t next(uint32_t bound) {
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % bound;
}

/* Numbers of errno differ between the two; names do not. */
static const char *reason(int error) {
  switch (error) {
  case 0: return "ok";
  case EEXIST: return "EEXIST";
  case EINVAL: return "EINVAL";
  case EISDIR: return "EISDIR";
  case ELOOP: return "ELOOP";
  case ENOENT: return "ENOENT";
  case ENOTDIR: return "ENOTDIR";
  case ENOTEMPTY: return "ENOTEMPTY";
  case EPERM: return "EPERM";
  case EXDEV: return "EXDEV";
  default: return strerror(error);
  }
}

static const char *place(char *into) {
  static const char *dirs[PLACES] = {"", "d0/", "d1/", "low/"};
  static const char *names[NAMES] = {"a", "b", "c", "d", "e", "d0", "f1", "f2"};
  sprintf(into, "%s%s", dirs[next(PLACES)], names[next(NAMES)]);
  return into;
}

static void say(const char *what, const char *path, int result) {
  printf("%s %s: %s\n", what, path, result < 0 ? reason(errno) : "ok");
}

static void put(const char *path, int flags) {
  char bytes[MAX_WRITE];
  size_t size = next(MAX_WRITE);
  memset(bytes, 'a' + (int)next(26), size);
  int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
  say("open", path, fd);
  if (fd < 0) return;
  printf("  wrote %ld\n", (long)write(fd, bytes, size));
  close(fd);
}

static void get(const char *path) {
  char bytes[256];
  int fd = open(path, O_RDONLY);
  say("read", path, fd);
  if (fd < 0) return;
  long sum = 0, total = 0;
  for (ssize_t count; (count = read(fd, bytes, sizeof bytes)) > 0; total += count)
    for (ssize_t i = 0; i < count; i++) sum = (sum * 31 + bytes[i]) % 1000003;
  printf("  %ld bytes, sum %ld\n", total, sum);
  close(fd);
}

static void look(const char *path) {
  struct stat st;
  int result = lstat(path, &st);
  say("stat", path, result);
  if (result < 0) return;
  if (S_ISDIR(st.st_mode)) printf("  directory\n");
  else printf("  %s, %ld bytes, %ld links\n", S_ISLNK(st.st_mode) ? "link" : "file", (long)st.st_size, (long)st.st_nlink);
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
  DIR *dir = opendir(path);
  printf("list %s: %s\n", path, dir == NULL ? reason(errno) : "ok");
  if (dir == NULL) return;
  char *names[MAX_ENTRIES];
  int count = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL && count < MAX_ENTRIES;) names[count++] = strdup(entry->d_name);
  qsort(names, (size_t)count, sizeof *names, compare);
  for (int i = 0; i < count; i++) {
    printf("  %s\n", names[i]);
    free(names[i]);
  }
  closedir(dir);
}

static void cut(const char *path) {
  int fd = open(path, O_WRONLY);
  say("truncate", path, fd < 0 ? -1 : ftruncate(fd, (off_t)next(MAX_WRITE)));
  if (fd >= 0) close(fd);
}

static void follow(const char *path) {
  char target[256];
  ssize_t length = readlink(path, target, sizeof target - 1);
  say("readlink", path, (int)length);
  if (length < 0) return;
  target[length] = 0;
  printf("  -> %s\n", target);
}

static void once(void) {
  char one[64], other[64];
  switch (next(OPERATIONS)) {
  case 0: put(place(one), O_TRUNC); return;
  case 1: put(place(one), O_APPEND); return;
  case 2: get(place(one)); return;
  case 3: look(place(one)); return;
  case 4: place(one); say("mkdir", one, mkdir(one, 0755)); return;
  case 5: place(one); say("unlink", one, unlink(one)); return;
  case 6: place(one); say("rmdir", one, rmdir(one)); return;
  case 7: place(one); place(other); printf("%s -> ", other); say("rename", one, rename(one, other)); return;
  case 8: place(one); place(other); printf("%s = ", other); say("link", one, link(one, other)); return;
  case 9: place(one); place(other); printf("%s in ", other); say("symlink", one, symlink(other, one)); return;
  case 10: follow(place(one)); return;
  default: if (next(2)) cut(place(one)); else list(next(2) ? "d0" : "low"); return;
  }
}

int main(int argc, char **argv) {
  if (argc != 4 || chdir(argv[1]) != 0) return 2;
  state = (uint32_t)atoi(argv[2]);
  for (int left = atoi(argv[3]); left > 0; left--) once();
  return 0;
}
