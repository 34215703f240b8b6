// The launch plan on the wire. Written by packages/core/src/plan/encode.ts; both sides assert magic and version.
// Little endian, unaligned. str = u32 length, bytes, NUL. list = u32 count, then the elements. bytes = u32 length, bytes.
#ifndef LAP_PLAN_H
#define LAP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_MAGIC 0x5050414cU  // "LAPP"
#define PLAN_VERSION 2U

// Header flags.
#define PLAN_PTY 1U
#define PLAN_OPEN_STDIN 2U
#define PLAN_STDIN_ONCE 4U
#define PLAN_FOREGROUND 8U
#define PLAN_INITIAL_CLIENT 16U
// The helper leaves once the process runs or waits at the gate: an OCI client supervises.
#define PLAN_UNSUPERVISED 32U
// The process gets the helper's own standard streams.
#define PLAN_INHERIT 64U
// The process waits at containerDir/exec.fifo for `start`.
#define PLAN_GATE 128U
// setgroups is denied before the gid map is written: user_namespaces(7), for callers without privilege.
#define PLAN_DENY_SETGROUPS 256U
// The container dies with its owner's connection.
#define PLAN_LEASHED 512U
// A process waits beside the supervisor and runs the reaper if that is killed.
#define PLAN_GUARDED 1024U

// Where reading stands; `bad` stays set after the first read past the end or malformed field.
struct cursor {
  const uint8_t *at;
  const uint8_t *end;
  bool bad;
};

struct bytes {
  const uint8_t *at;
  uint32_t length;
};

// A list whose elements are read one by one with list_next.
struct list {
  struct cursor items;
  uint32_t count;
};

struct plan {
  const uint8_t *base;
  size_t size;
  uint32_t flags;
  uint64_t clone_flags;
  const char *container_dir;
  const char *id;
  const char *log_path;  // "" keeps no log
  uint64_t log_max_bytes;
  uint32_t log_max_files;
  const char *log_attrs;  // JSON object that every line has, "" for none
  uint64_t log_buffer;    // bytes that output may wait for the log; 0 has the program wait
  struct list reap_argv;
  uint32_t rows;
  uint32_t cols;
  uint32_t attach;           // CLIENT_STDIN … of the initial client
  const char *cgroup_v2;     // directory for CLONE_INTO_CGROUP, "" for none
  const char *freezer_file;  // cgroup.freeze or freezer.state, "" for none
  const char *oom_file;      // memory.events or memory.oom_control, "" for none
  const char *pid_ns;        // path of a pid namespace to join, "" for none
  const char *user_ns;       // path of a user namespace to join before it, "" for none
  struct list early_ns;      // paths of namespaces to join before any user namespace
  uint32_t preserve;         // descriptors from 5 on that the process gets from 3 on
  const char *console_socket;  // unix socket that receives the pty's master, "" for none
  const char *pidfd_socket;  // unix socket that receives a descriptor of the process, "" for none
  struct list uid_map;       // u32 triples
  struct list gid_map;
  const char *uid_helper;  // newuidmap(1), "" writes the map itself
  const char *gid_helper;
  uint32_t op_count;
  struct cursor ops;
};

uint32_t get_u32(struct cursor *c);
uint64_t get_u64(struct cursor *c);
const char *get_str(struct cursor *c);
struct bytes get_bytes(struct cursor *c);
struct list get_strs(struct cursor *c);
struct list get_u32s(struct cursor *c);

// Maps the plan behind `fd` and checks all of its structure; errno on failure.
int plan_read(int fd, struct plan *plan);
// Checks a plan in memory; the fuzzer's entry.
int plan_parse(const uint8_t *base, size_t size, struct plan *plan);
// The next operation: its code and a cursor over its fields; false at the end.
bool plan_next(struct cursor *ops, uint32_t *code, struct cursor *fields);

#endif
