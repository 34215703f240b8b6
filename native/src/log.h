// The container's log in Docker's json-file form, with rotation; moby daemon/logger/jsonfilelog by behaviour.
#ifndef LAP_LOG_H
#define LAP_LOG_H

#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 16384U

// The unfinished line of one stream.
struct log_line {
  uint32_t length;
  char bytes[LOG_LINE_MAX];
};

// Opens the log for appending; errno. `path` must stay valid; "" keeps no log.
int log_open(const char *path, uint64_t max_bytes, uint32_t max_files);
// Adds output of stream 1 or 2: complete lines, and pieces of 16 KiB of longer ones, are written at once.
void log_add(int stream, const char *data, size_t length);
// Writes what is left of unfinished lines, at the end of the streams.
void log_finish(void);

#endif
