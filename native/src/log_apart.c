// A log that never holds the program up (docker's mode=non-blocking): output goes into a ring of shared memory, which a process of its own
// empties into the log. What does not fit is lost, and the line that it was part of ends there.
#include <linux/mman.h>
#include <linux/prctl.h>

#include "child.h"
#include "log.h"
#include "status.h"
#include "sys.h"
#include "text.h"

#define LEAST 65536U
#define LAP_F_SETFL 4
// A disk that takes nothing for so long keeps the container from ending no longer.
#define FINISH_NS 10000000000U

struct entry {
  uint32_t length;
  uint16_t stream;
  uint16_t lost;  // something before it did not fit
  uint64_t time;
};

// `head` is written by the supervisor, `tail` by the writer; both only grow.
static struct {
  uint64_t head, tail, size;
  char bytes[];
} *ring;
static int wake = -1;
static int writer;
static bool lost;

bool log_is_apart(void) { return wake >= 0; }

static void ring_copy(char *out, const char *in, uint64_t at, size_t length) {
  uint64_t start = at % ring->size;
  size_t first = ring->size - start < length ? (size_t)(ring->size - start) : length;
  if (out == NULL) {
    copy_bytes(ring->bytes + start, in, first);
    copy_bytes(ring->bytes, in + first, length - first);
  } else {
    copy_bytes(out, ring->bytes + start, first);
    copy_bytes(out + first, ring->bytes, length - first);
  }
}

static void empty_ring(void) {
  static char data[65536];
  struct entry entry;
  while (ring->tail != __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE)) {
    ring_copy((char *)&entry, NULL, ring->tail, sizeof entry);
    ring_copy(data, NULL, ring->tail + sizeof entry, entry.length);
    __atomic_store_n(&ring->tail, ring->tail + sizeof entry + entry.length, __ATOMIC_RELEASE);
    if (entry.lost != 0) log_break();
    log_write(entry.stream, data, entry.length, entry.time);
  }
}

// The pipe closes with the supervisor, however that ended: then what is in the ring is the last.
static void write_log(int pipe, int log) {
  char words[512];
  (void)sys3(__NR_dup3, pipe, 0, 0);
  (void)sys3(__NR_close_range, 1, (unsigned)(log - 1), 0);
  (void)sys3(__NR_close_range, log + 1, ~0U, 0);
  (void)sys0(__NR_setsid);
  (void)sys5(__NR_prctl, PR_SET_NAME, "lap-log", 0, 0, 0);
  wake = -1;
  for (long got = 1; got > 0 || got == -EINTR;) {
    got = sys_read(0, words, sizeof words);
    empty_ring();
  }
  log_finish();
  lap_exit(0);
}

int log_apart(uint64_t buffer) {
  int ends[2];
  int log = log_descriptor();
  uint64_t size = buffer < LEAST ? LEAST : buffer;
  if (log < 0) return 0;
  long at = sys6(__NR_mmap, NULL, size + sizeof *ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at < 0 && at > -4096) return (int)-at;
  ring = (void *)at;
  ring->size = size;
  long error = sys2(__NR_pipe2, ends, LAP_O_CLOEXEC);
  if (error != 0) return (int)-error;
  (void)sys3(__NR_fcntl, ends[1], LAP_F_SETFL, LAP_O_WRONLY | LAP_O_NONBLOCK);
  long pid = sys_fork();
  if (pid == 0) write_log(ends[0], log);
  (void)sys_close(ends[0]);
  if (pid < 0) return (int)-pid;
  writer = (int)pid;
  wake = ends[1];
  return 0;
}

void log_apart_add(int stream, const char *data, size_t length) {
  struct entry entry = {(uint32_t)length, (uint16_t)stream, lost, now_ns()};
  uint64_t used = ring->head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
  lost = used + sizeof entry + length > ring->size;
  if (lost) return;
  ring_copy(NULL, (const char *)&entry, ring->head, sizeof entry);
  ring_copy(NULL, data, ring->head + sizeof entry, length);
  __atomic_store_n(&ring->head, ring->head + sizeof entry + length, __ATOMIC_RELEASE);
  (void)sys_write(wake, "", 1);
}

void log_apart_finish(void) {
  uint64_t since = now_ns();
  struct wait_info info = {0};
  (void)sys_close(wake);
  wake = -1;
  while (sys5(__NR_waitid, P_PID, writer, &info, WEXITED | WNOHANG, NULL) == 0 && info.pid == 0) {
    if (now_ns() - since > FINISH_NS) return;
    nap(1);
  }
}
