// See log.h. A line is {"log":"…\n","stream":"stdout","time":"RFC3339Nano"}; lines longer than 16 KiB come in pieces of
// exactly that size without "\n", and so does an unfinished line at the end.
#include "log.h"

#include <stdbool.h>

#include "status.h"
#include "sys.h"
#include "text.h"

static struct {
  const char *path;
  uint64_t size;
  uint64_t max_bytes;
  uint32_t max_files;
  const char *attrs;
  size_t used;
  char out[32768];
} log_file;

static int log_fd = -1;

static struct log_line lines[2];

static int reopen(int flags) {
  log_fd = sys_open(log_file.path, LAP_O_CREAT | LAP_O_WRONLY | LAP_O_APPEND | flags, 0640);
  return log_fd < 0 ? -log_fd : 0;
}

int log_open(const struct log_orders *orders) {
  log_file.path = orders->path;
  log_file.max_bytes = orders->max_bytes;
  log_file.max_files = orders->max_files == 0 ? 1 : orders->max_files;
  log_file.attrs = orders->attrs;
  if (orders->path[0] == 0) return 0;
  int error = reopen(0);
  if (error != 0) return error;
  long end = sys3(__NR_lseek, log_fd, 0, 2 /* SEEK_END */);
  log_file.size = end < 0 ? 0 : (uint64_t)end;
  return 0;
}

int log_descriptor(void) { return log_fd; }

// A full disk loses log lines, never the container: the failed piece is dropped and the next is tried again.
static void flush(void) {
  if (log_fd >= 0 && log_file.used > 0) {
    (void)write_all(log_fd, log_file.out, log_file.used);
    log_file.size += log_file.used;
  }
  log_file.used = 0;
}

static void rotate(void) {
  flush();
  log_shift(log_fd, log_file.path, log_file.max_files);
  (void)sys_close(log_fd);
  (void)reopen(LAP_O_TRUNC);
  log_file.size = 0;
}

void log_put(const char *bytes, size_t length) {
  // Attributes may be longer than the buffer.
  for (; length > sizeof log_file.out; bytes += sizeof log_file.out, length -= sizeof log_file.out) {
    log_put(bytes, sizeof log_file.out);
  }
  if (log_file.used + length > sizeof log_file.out) flush();
  for (size_t i = 0; i < length; i++) log_file.out[log_file.used + i] = bytes[i];
  log_file.used += length;
}

static void put_record(int stream, const char *data, size_t length, bool whole, uint64_t time) {
  if (log_file.max_bytes != 0 && log_file.size + log_file.used >= log_file.max_bytes) rotate();
  log_put_text("{\"log\":\"");
  log_put_json(data, length);
  log_put_text(whole ? "\\n\",\"stream\":\"" : "\",\"stream\":\"");
  log_put_text(stream == 1 ? "stdout" : "stderr");
  if (log_file.attrs[0] != 0) log_put_text("\",\"attrs\":");
  log_put_text(log_file.attrs);
  log_put_text(log_file.attrs[0] != 0 ? ",\"time\":\"" : "\",\"time\":\"");
  log_put_time(time);
  log_put_text("\"}\n");
}

// A line that arrived whole is logged from where it lies; only an unfinished one is kept.
static void add_piece(struct log_line *line, int stream, const char *data, size_t length, bool whole, uint64_t time) {
  if (line->length == 0 && whole) {
    put_record(stream, data, length, true, time);
    return;
  }
  copy_bytes(line->bytes + line->length, data, length);
  line->length += (uint32_t)length;
  if (!whole && line->length < LOG_LINE_MAX) return;
  put_record(stream, line->bytes, line->length, whole, time);
  line->length = 0;
}

void log_write(int stream, const char *data, size_t length, uint64_t time) {
  struct log_line *line = &lines[stream - 1];
  while (length > 0) {
    size_t room = LOG_LINE_MAX - line->length;
    size_t limit = length < room ? length : room;
    size_t n = 0;
    while (n < limit && data[n] != '\n') n++;
    bool whole = n < limit;
    add_piece(line, stream, data, n, whole, time);
    data += n + (whole ? 1 : 0);
    length -= n + (whole ? 1 : 0);
  }
  flush();
}

void log_add(int stream, const char *data, size_t length) {
  if (log_fd < 0) return;
  if (log_is_apart()) log_apart_add(stream, data, length);
  else log_write(stream, data, length, now_ns());
}

static void end_lines(bool whole) {
  for (int stream = 1; stream <= 2; stream++) {
    struct log_line *line = &lines[stream - 1];
    if (line->length > 0 && log_fd >= 0) put_record(stream, line->bytes, line->length, whole, now_ns());
    line->length = 0;
  }
  flush();
}

void log_break(void) { end_lines(true); }

void log_finish(void) {
  if (log_is_apart()) log_apart_finish();
  else end_lines(false);
}
