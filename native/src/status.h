// The status record: containerDir/status, read by packages/core/src/supervisor/status.ts, which has the same offsets.
#ifndef LAP_STATUS_H
#define LAP_STATUS_H

#include <stdint.h>

#define STATUS_MAGIC 0x5350414cU  // "LAPS"
#define STATUS_VERSION 1U

#define STATE_CREATED 1U
#define STATE_RUNNING 2U
#define STATE_PAUSED 3U
#define STATE_EXITED 4U

#define STATUS_OOM 1U

struct status {
  uint32_t magic;
  uint32_t version;
  uint32_t state;
  uint32_t flags;
  uint32_t supervisor_pid;
  uint32_t pid;
  uint64_t supervisor_start;
  uint64_t pid_start;
  uint64_t started_ns;   // CLOCK_REALTIME, 0 before the start
  uint64_t finished_ns;  // 0 before the end
  uint32_t exit_code;
  uint32_t signal;
  char boot_id[40];
  uint32_t error_length;
  char error[404];
};
_Static_assert(sizeof(struct status) == 512, "the record is 512 bytes on the wire");

// Fills the fields that name this supervisor.
void status_begin(struct status *status);
void status_error(struct status *status, const char *error);
// Takes the room of the record before the container starts, so that a full disk fails the start and not the first write; errno.
int status_reserve(int dir, const struct status *status);
// Writes containerDir/status by a temporary file and rename(2); errno.
int status_write(int dir, const struct status *status);
// Start time of a process in clock ticks since boot (proc_pid_stat(5) field 22); 0 when it is gone.
uint64_t start_time(uint32_t pid);
// The same from the terminated content of /proc/PID/stat.
uint64_t start_time_in(const char *line, long length);
uint64_t now_ns(void);

#endif
