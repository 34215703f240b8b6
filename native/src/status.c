// See status.h.
#include "status.h"

#include <linux/time_types.h>

#include "sys.h"
#include "text.h"

#define CLOCK_REALTIME 0

uint64_t now_ns(void) {
  struct __kernel_timespec now = {0};
  (void)sys2(__NR_clock_gettime, CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

// The name in field 2 may hold spaces and parentheses: fields are counted from the last ")".
uint64_t start_time_in(const char *line, long length) {
  long at = length - 1;
  while (at > 0 && line[at] != ')') at--;
  for (int field = 2; at > 0 && at < length && field < 22; at++) {
    if (line[at] == ' ') field++;
  }
  return at > 0 && at < length ? parse_number(line + at) : 0;
}

uint64_t start_time(uint32_t pid) {
  char path[40];
  char line[1024];
  struct text t = text_in(path, sizeof path);
  text_add(&t, "/proc/");
  text_add_number(&t, pid);
  text_add(&t, "/stat");
  return start_time_in(line, read_file(path, line, sizeof line));
}

void status_begin(struct status *status) {
  status->magic = STATUS_MAGIC;
  status->version = STATUS_VERSION;
  status->supervisor_pid = (uint32_t)sys0(__NR_getpid);
  status->supervisor_start = start_time(status->supervisor_pid);
  long got = read_file("/proc/sys/kernel/random/boot_id", status->boot_id, sizeof status->boot_id);
  if (got > 0 && status->boot_id[got - 1] == '\n') status->boot_id[got - 1] = 0;
}

void status_error(struct status *status, const char *error) {
  struct text t = text_in(status->error, sizeof status->error);
  text_add(&t, error);
  status->error_length = (uint32_t)t.length;
}

// Not truncated: the bytes may have been reserved, and the record has one size.
static int write_temporary(int dir, const struct status *status) {
  int fd = sys_openat(dir, "status.tmp", LAP_O_CREAT | LAP_O_WRONLY, 0600);
  if (fd < 0) return -fd;
  int error = write_all(fd, status, sizeof *status);
  (void)sys_close(fd);
  return error;
}

static void drop_temporary(int dir) { (void)sys3(__NR_unlinkat, dir, "status.tmp", 0); }

int status_reserve(int dir, const struct status *status) {
  int error = write_temporary(dir, status);
  if (error != 0) drop_temporary(dir);
  return error;
}

static int write_new(int dir, const struct status *status) {
  int error = write_temporary(dir, status);
  if (error == 0) error = (int)-sys4(__NR_renameat, dir, "status.tmp", dir, "status");
  if (error != 0) drop_temporary(dir);
  return error;
}

// The record has one size, so a full disk still takes it in the place of the last one: the exit status must not be lost.
static int write_over(int dir, const struct status *status) {
  int fd = sys_openat(dir, "status", LAP_O_WRONLY, 0);
  if (fd < 0) return -fd;
  int error = write_all(fd, status, sizeof *status);
  (void)sys_close(fd);
  return error;
}

int status_write(int dir, const struct status *status) {
  int error = write_new(dir, status);
  return error == ENOSPC || error == EDQUOT ? write_over(dir, status) : error;
}
