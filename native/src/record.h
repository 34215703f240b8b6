// ROOT/ID/record: what the quick commands need of a container. Written by packages/cli/src/runtime/record.ts, same order.
#ifndef LAP_RECORD_H
#define LAP_RECORD_H

#include "plan.h"

#define RECORD_MAGIC 0x5250414cU  // "LAPR"
#define RECORD_VERSION 1U

// Something only Node does stands in the way of this command.
#define RECORD_SLOW_START 1U
#define RECORD_SLOW_DELETE 2U
// Without a pid namespace the end of the first process is not the end of the others.
#define RECORD_SHARED_PIDS 4U

struct record {
  uint32_t flags;
  uint32_t pid;
  uint64_t pid_start;
  const char *head;          // state document up to the status: {"ociVersion":…,"id":…
  const char *tail;          // and from the bundle on
  const char *freezer_file;  // "" for none
  struct list cgroups;       // directories, children first
};

enum life { LIFE_STOPPED, LIFE_CREATED, LIFE_RUNNING, LIFE_PAUSED };

// Reads the record of the container directory open as `dir`; errno. The texts live in a static buffer.
int record_read(int dir, struct record *record);
enum life record_life(int dir, const struct record *record);
// A pidfd of the first process, -1 when it is gone.
int record_open_process(const struct record *record);

#endif
