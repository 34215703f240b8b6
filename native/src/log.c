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

static void put(const char *bytes, size_t length) {
  // Attributes may be longer than the buffer.
  for (; length > sizeof log_file.out; bytes += sizeof log_file.out, length -= sizeof log_file.out) {
    put(bytes, sizeof log_file.out);
  }
  if (log_file.used + length > sizeof log_file.out) flush();
  for (size_t i = 0; i < length; i++) log_file.out[log_file.used + i] = bytes[i];
  log_file.used += length;
}

static void put_text(const char *s) { put(s, text_length(s)); }

static void put_hex(unsigned value) {
  static const char hex[] = "0123456789abcdef";
  char escape[6] = {'\\', 'u', '0', '0', hex[value >> 4 & 15U], hex[value & 15U]};
  put(escape, sizeof escape);
}

// Length of the valid UTF-8 sequence at `s` (RFC 3629: no overlong forms, no surrogates), 0 when there is none.
static size_t sequence(const unsigned char *s, size_t left) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
  if (length == 0 || length > left || s[0] > 0xf4) return 0;
  uint32_t point = s[0] & (0x7fU >> length);
  for (size_t i = 1; i < length; i++) {
    if ((s[i] & 0xc0) != 0x80) return 0;
    point = point << 6 | (s[i] & 0x3fU);
  }
  bool bad = point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);
  return bad ? 0 : length;
}

static size_t put_beyond_ascii(const unsigned char *s, size_t left) {
  size_t length = sequence(s, left);
  if (length == 0) {
    put_text("\\ufffd");
    return 1;
  }
  bool separator = length == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] | 1) == 0xa9;
  if (separator) put_text(s[2] == 0xa8 ? "\\u2028" : "\\u2029");
  else put((const char *)s, length);
  return length;
}

static bool plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static void put_escaped(unsigned char c) {
  if (c == '"') put_text("\\\"");
  else if (c == '\\') put_text("\\\\");
  else if (c == '\n') put_text("\\n");
  else if (c == '\r') put_text("\\r");
  else put_hex(c);
}

static void put_json(const char *data, size_t length) {
  const unsigned char *s = (const unsigned char *)data;
  for (size_t i = 0; i < length;) {
    size_t run = i;
    while (run < length && plain(s[run])) run++;
    if (run > i) put(data + i, run - i);
    i = run;
    if (i == length) break;
    if (s[i] >= 0x80) i += put_beyond_ascii(s + i, length - i);
    else put_escaped(s[i++]);
  }
}

// Civil date of days since 1970-01-01 (proleptic Gregorian; eras of 400 years).
static void put_date(uint64_t days) {
  uint64_t shifted = days + 719468;
  uint64_t era = shifted / 146097;
  uint64_t day_of_era = shifted % 146097;
  uint64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  uint64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
  uint64_t month = (5 * day_of_year + 2) / 153;
  uint64_t day = day_of_year - (153 * month + 2) / 5 + 1;
  uint64_t civil_month = month < 10 ? month + 3 : month - 9;
  uint64_t civil_year = year + era * 400 + (civil_month <= 2 ? 1 : 0);
  char date[11] = {0};
  for (int i = 3; i >= 0; i--, civil_year /= 10) date[i] = (char)('0' + civil_year % 10);
  date[4] = date[7] = '-';
  date[5] = (char)('0' + civil_month / 10);
  date[6] = (char)('0' + civil_month % 10);
  date[8] = (char)('0' + day / 10);
  date[9] = (char)('0' + day % 10);
  put(date, 10);
}

static void put_two(uint64_t value) {
  char digits[2] = {(char)('0' + value / 10 % 10), (char)('0' + value % 10)};
  put(digits, 2);
}

// RFC3339Nano as Go prints it: trailing zeros of the fraction are left out.
static void put_fraction(uint64_t nanoseconds) {
  char digits[10] = {'.'};
  size_t length = 10;
  if (nanoseconds == 0) return;
  for (size_t i = 9; i > 0; i--, nanoseconds /= 10) digits[i] = (char)('0' + nanoseconds % 10);
  while (digits[length - 1] == '0') length--;
  put(digits, length);
}

static void put_time(uint64_t ns) {
  uint64_t seconds = ns / 1000000000U;
  put_date(seconds / 86400);
  put("T", 1);
  put_two(seconds / 3600 % 24);
  put(":", 1);
  put_two(seconds / 60 % 60);
  put(":", 1);
  put_two(seconds % 60);
  put_fraction(ns % 1000000000U);
  put("Z", 1);
}

static void put_record(int stream, const char *data, size_t length, bool whole, uint64_t time) {
  if (log_file.max_bytes != 0 && log_file.size + log_file.used >= log_file.max_bytes) rotate();
  put_text("{\"log\":\"");
  put_json(data, length);
  put_text(whole ? "\\n\",\"stream\":\"" : "\",\"stream\":\"");
  put_text(stream == 1 ? "stdout" : "stderr");
  if (log_file.attrs[0] != 0) put_text("\",\"attrs\":");
  put_text(log_file.attrs);
  put_text(log_file.attrs[0] != 0 ? ",\"time\":\"" : "\",\"time\":\"");
  put_time(time);
  put_text("\"}\n");
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
