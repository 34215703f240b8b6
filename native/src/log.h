// The container's log in Docker's json-file form, with rotation; moby daemon/logger/jsonfilelog by behaviour.
#ifndef LAP_LOG_H
#define LAP_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 16384U

// The unfinished line of one stream.
struct log_line {
  uint32_t length;
  char bytes[LOG_LINE_MAX];
};

// Texts must stay valid.
struct log_orders {
  const char *path;  // "" keeps no log
  uint64_t max_bytes;
  uint32_t max_files;
  const char *attrs;  // a JSON object that every line has, "" for none
};

// Opens the log for appending; errno.
int log_open(const struct log_orders *orders);
// -1 when there is none.
int log_descriptor(void);
// Adds output of stream 1 or 2: complete lines, and pieces of 16 KiB of longer ones, are written at once.
void log_add(int stream, const char *data, size_t length);
// The same with the time of the output; a line that lost a piece before it ends there.
void log_write(int stream, const char *data, size_t length, uint64_t time);
void log_break(void);
// Writes what is left of unfinished lines, at the end of the streams.
void log_finish(void);

// Adds to what is written next: bytes as they are, a text, the inside of a JSON string, a time in nanoseconds since 1970.
void log_put(const char *bytes, size_t length);
void log_put_text(const char *s);
void log_put_json(const char *data, size_t length);
void log_put_time(uint64_t ns);

// From now on a process of its own writes the log, and output waits for it in `buffer` bytes of memory; what does not fit is lost. errno.
int log_apart(uint64_t buffer);
bool log_is_apart(void);
void log_apart_add(int stream, const char *data, size_t length);
void log_apart_finish(void);

// Gives the full file behind `fd` the name with `.1`, and so on; the oldest goes. Compressed ones have `.gz` behind the number.
void log_shift(int fd, const char *path, uint32_t max_files);

#endif
