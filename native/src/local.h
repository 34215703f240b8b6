// Unix sockets by path: sun_path holds 108 bytes, so every path goes through a descriptor and /proc/self/fd.
#ifndef LAP_LOCAL_H
#define LAP_LOCAL_H

// A stream socket bound to `name` in the open directory, listening; negative errno.
int listen_in(int dir, const char *name);
// A stream socket connected to an absolute path; negative errno.
int connect_to(const char *path);

#endif
