// Rotation: names move up by one. Who compresses a file meanwhile (packages/engine/src/logs/compress.ts) replaces a name under the
// lock of the file that is being written, so that it finds the file behind the name that it looked at.
#include "log.h"
#include "sys.h"
#include "text.h"

#define NAME_SIZE 4096U
#define LOCK_EX_NB 6 /* LOCK_EX | LOCK_NB, flock(2) */
// Nobody holds the lock for longer than two calls; one that was stopped there does not hold a container up.
#define LOCK_TRIES 2000

static void numbered(struct text *t, const char *path, uint32_t number, const char *suffix) {
  text_add(t, path);
  if (number > 0) text_add(t, ".");
  if (number > 0) text_add_number(t, number);
  text_add(t, suffix);
}

static void move_up(const char *path, uint32_t number, const char *suffix) {
  char from[NAME_SIZE];
  char to[NAME_SIZE];
  struct text a = text_in(from, sizeof from);
  struct text b = text_in(to, sizeof to);
  numbered(&a, path, number, suffix);
  numbered(&b, path, number + 1, suffix);
  (void)sys4(__NR_renameat, LAP_AT_FDCWD, from, LAP_AT_FDCWD, to);
}

static void drop(const char *path, uint32_t number, const char *suffix) {
  char name[NAME_SIZE];
  struct text t = text_in(name, sizeof name);
  numbered(&t, path, number, suffix);
  (void)sys3(__NR_unlinkat, LAP_AT_FDCWD, name, 0);
}

void log_shift(int fd, const char *path, uint32_t max_files) {
  if (max_files < 2) return;
  for (int i = 0; i < LOCK_TRIES && sys2(__NR_flock, fd, LOCK_EX_NB) == -EWOULDBLOCK; i++) nap(1);
  drop(path, max_files - 1, "");
  drop(path, max_files - 1, ".gz");
  for (uint32_t i = max_files - 1; i > 0; i--) {
    move_up(path, i - 1, "");
    if (i > 1) move_up(path, i - 1, ".gz");
  }
}
