// The supervisor: what the helper becomes once the container's first process runs. One per container, one thread.
//
//   caller (Node)            helper = supervisor                    first process
//     plan in a memfd  ──▶   parse, listen, pipes
//                            clone3(namespaces, cgroup) ─────────▶  operations in order
//                            ◀── failure | pty master ────────────  (channel, closed by exec)
//     STARTED | FAILED ◀──   status record                          exec
//     frames          ◀──▶   event loop: output → log → clients
//     EXIT            ◀──    reap, drain, status record
//     REAPED          ──▶    gone (or exec of reapArgv)
#ifndef LAP_SUPERVISOR_H
#define LAP_SUPERVISOR_H

#include "channel.h"
#include "client.h"
#include "plan.h"
#include "status.h"
#include "trees.h"

struct supervisor {
  struct plan plan;
  struct status status;
  char **envp;
  int dir;        // containerDir
  int listener;   // ctl.sock
  int signals;    // signalfd of SIGCHLD
  int out[2];     // read ends of stdout and stderr, or the pty master in out[0]
  int in;         // write end of stdin, or a duplicate of the pty master
  int report;     // its end of the channel from the first process, while that starts
  int child;      // pidfd of the first process
  int stdio[3];   // the first process's ends until it runs
  int gate;       // exec.fifo
  int failed;     // exec.error
  int guard;      // tells the guard that the end is regular
  struct trees trees;     // what only the host's root could mount
  struct client *caller;  // who launches
  int oom;        // what wakes on an out-of-memory kill, -1 for nothing
  uint64_t oom_base;
  bool exited;
};

// clone3 and the wait for exec; 0, or the errno of a failure that `message` explains.
int launch_container(struct supervisor *s, struct channel_message *message);
// The process that runs the operations and reports over `report`; its pid, with a pidfd, or a negative errno.
long clone_first(struct supervisor *s, int report, int *pidfd);
// Pipes or nothing, before the clone; errno.
int make_stdio(struct supervisor *s);
// A process that runs the reaper when this one is killed, if the plan wants one; told when the end is regular.
void guard_start(struct supervisor *s);
void guard_dismiss(const struct supervisor *s);
// Has reapArgv run with `word` behind it, in a process of its own.
void tell_policy(struct supervisor *s, const char *word);
// Execs reapArgv, with `word` behind it unless that is NULL; returns when there is none.
void become_reaper(struct supervisor *s, const char *word);
// The event loop; returns when the container ended and every client was told.
void supervise(struct supervisor *s);
// From now on clients of this supervisor may ask for something (client.h's handle_frame).
void control_begin(struct supervisor *s);
// Kills the container when its owner is gone, if the plan ties it to that.
void mind_leash(struct supervisor *s);
// Input ends with the client that wrote it.
bool stdin_once(const struct supervisor *s);
// Freezer, first bytes of the counter in the OOM file.
int set_frozen(struct supervisor *s, bool frozen);
uint64_t oom_kills(const struct supervisor *s);

#endif
