// The small file calls every part uses; see sys.h.
#include "sys.h"

#include "text.h"

void lap_exit(int code) {
  for (;;) (void)sys1(__NR_exit_group, code);
}

int sys_close(int fd) { return (int)sys1(__NR_close, fd); }

int sys_openat(int dir, const char *path, int flags, unsigned mode) {
  return (int)sys4(__NR_openat, dir, path, flags | LAP_O_CLOEXEC, mode);
}

int sys_open(const char *path, int flags, unsigned mode) { return sys_openat(LAP_AT_FDCWD, path, flags, mode); }

long sys_read(int fd, void *into, size_t length) { return sys3(__NR_read, fd, into, length); }

long sys_write(int fd, const void *from, size_t length) { return sys3(__NR_write, fd, from, length); }

int write_all(int fd, const void *from, size_t length) {
  const char *at = from;
  while (length > 0) {
    long done = sys_write(fd, at, length);
    if (done == -EINTR) continue;
    if (done < 0) return (int)-done;
    at += done;
    length -= (size_t)done;
  }
  return 0;
}

int write_file(const char *path, const char *text) {
  AUTO_FD fd = sys_open(path, LAP_O_WRONLY, 0);
  if (fd < 0) return -fd;
  return write_all(fd, text, text_length(text));
}

long read_file(const char *path, char *into, size_t size) {
  AUTO_FD fd = sys_open(path, LAP_O_RDONLY, 0);
  if (fd < 0) return fd;
  long got = sys_read(fd, into, size - 1);
  if (got >= 0) into[got] = 0;
  return got;
}

void nap(int64_t milliseconds) {
  struct {
    int64_t seconds, nanoseconds;
  } time = {0, milliseconds * 1000000};
  (void)sys2(__NR_nanosleep, &time, NULL);
}
