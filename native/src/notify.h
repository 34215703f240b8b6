// Handing a seccomp listener to its agent; see notify.c.
#ifndef LAP_NOTIFY_H
#define LAP_NOTIFY_H

#include "channel.h"
#include "plan.h"

// Code of the operation in packages/core/src/plan/ops.ts; ops.c has it at this place.
#define OP_SECCOMP_NOTIFY 43U

// Sends `fd` and the state of the plan's operation to its agent; closes `fd`. errno, explained in `message`.
int hand_over_listener(const struct plan *plan, uint32_t pid, int fd, struct channel_message *message);

#endif
