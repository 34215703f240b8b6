// See record.h.
#include "record.h"

#include "status.h"
#include "sys.h"
#include "text.h"

#define RECORD_MAX 65536
#define PF_EXITING 4U

static uint8_t bytes[RECORD_MAX];

int record_read(int dir, struct record *record) {
  AUTO_FD fd = sys_openat(dir, "record", LAP_O_RDONLY | LAP_O_NOFOLLOW, 0);
  if (fd < 0) return -fd;
  long got = sys_read(fd, bytes, sizeof bytes);
  if (got <= 0 || got == RECORD_MAX) return EBADMSG;
  struct cursor c = {.at = bytes, .end = bytes + got, .bad = false};
  if (get_u32(&c) != RECORD_MAGIC || get_u32(&c) != RECORD_VERSION) return EPROTO;
  record->flags = get_u32(&c);
  record->pid = get_u32(&c);
  record->pid_start = get_u64(&c);
  record->head = get_str(&c);
  record->tail = get_str(&c);
  record->freezer_file = get_str(&c);
  record->cgroups = get_strs(&c);
  return c.bad ? EBADMSG : 0;
}

// Running, neither ended nor ending: the letter in field 3 and the flags in field 9 of proc_pid_stat(5).
static bool is_alive(const struct record *record) {
  char path[40];
  char line[1024];
  struct text t = text_in(path, sizeof path);
  text_add(&t, "/proc/");
  text_add_number(&t, record->pid);
  text_add(&t, "/stat");
  long got = read_file(path, line, sizeof line);
  if (got <= 0 || start_time_in(line, got) != record->pid_start) return false;
  long at = got - 1;
  while (at > 0 && line[at] != ')') at--;
  if (at + 2 >= got || line[at + 2] == 'Z' || line[at + 2] == 'X') return false;
  int field = 2;
  for (; at < got && field < 9; at++) {
    if (line[at] == ' ') field++;
  }
  return (parse_number(line + at) & PF_EXITING) == 0;
}

static bool is_frozen(const struct record *record) {
  char content[64];
  if (record->freezer_file[0] == 0 || read_file(record->freezer_file, content, sizeof content) <= 0) return false;
  return content[0] == '1' || content[0] == 'F';
}

enum life record_life(int dir, const struct record *record) {
  if (!is_alive(record)) return LIFE_STOPPED;
  if (sys3(__NR_faccessat, dir, "exec.fifo", 0) == 0) return LIFE_CREATED;
  return is_frozen(record) ? LIFE_PAUSED : LIFE_RUNNING;
}

int record_open_process(const struct record *record) {
  int fd = (int)sys2(__NR_pidfd_open, record->pid, 0);
  if (fd >= 0 && is_alive(record)) return fd;
  if (fd >= 0) (void)sys_close(fd);
  return -1;
}
