// See oom.c.
#ifndef LAP_OOM_H
#define LAP_OOM_H

#include "supervisor.h"

// Opens the watch, s->oom; -1 where nobody counts.
void oom_watch(struct supervisor *s);
// The poll events that call for oom_note: a v2 file is always readable.
short oom_events(const struct supervisor *s);
// Takes the event and notes a kill in the status record.
void oom_note(struct supervisor *s);

#endif
