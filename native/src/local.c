// See local.h.
#include "local.h"

#include "sys.h"
#include "text.h"

#define AF_UNIX 1
#define SOCK_STREAM 1

struct address {
  uint16_t family;
  char path[108];
};

static struct address through(int fd, const char *name) {
  struct address address = {.family = AF_UNIX};
  struct text t = text_in(address.path, sizeof address.path);
  text_add(&t, "/proc/self/fd/");
  text_add_number(&t, (uint64_t)fd);
  if (name[0] != 0) text_add(&t, "/");
  text_add(&t, name);
  return address;
}

static int fail_closing(int fd, long error) {
  (void)sys_close(fd);
  return (int)error;
}

int listen_in(int dir, const char *name) {
  struct address address = through(dir, name);
  (void)sys3(__NR_unlinkat, dir, name, 0);
  int fd = (int)sys3(__NR_socket, AF_UNIX, SOCK_STREAM | LAP_O_CLOEXEC | LAP_O_NONBLOCK, 0);
  if (fd < 0) return fd;
  long ret = sys3(__NR_bind, fd, &address, sizeof address);
  if (ret == 0) ret = sys4(__NR_fchmodat, dir, name, 0600, 0);
  if (ret == 0) ret = sys2(__NR_listen, fd, 16);
  return ret < 0 ? fail_closing(fd, ret) : fd;
}

int connect_to(const char *path) {
  AUTO_FD target = sys_open(path, LAP_O_PATH, 0);
  if (target < 0) return target;
  struct address address = through(target, "");
  int fd = (int)sys3(__NR_socket, AF_UNIX, SOCK_STREAM | LAP_O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long ret = sys3(__NR_connect, fd, &address, sizeof address);
  return ret < 0 ? fail_closing(fd, ret) : fd;
}
