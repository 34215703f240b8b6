// The id maps of a new user namespace, written by its parent: user_namespaces(7).
#ifndef LAP_IDMAP_H
#define LAP_IDMAP_H

#include "plan.h"

// Writes both maps of process `pid`, by newuidmap(1) and newgidmap(1) when the plan names them; errno. Nothing without maps.
int write_id_maps(const struct plan *plan, uint64_t pid);
// Writes maps of triples directly, for a caller with privilege; errno.
int write_process_maps(uint64_t pid, struct list uids, struct list gids);

#endif
