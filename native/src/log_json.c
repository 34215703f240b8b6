// How a log line is written: JSON strings as Docker's json-file log has them, times as Go prints them.
#include "log.h"
#include "text.h"

void log_put_text(const char *s) { log_put(s, text_length(s)); }

static void put_hex(unsigned value) {
  static const char hex[] = "0123456789abcdef";
  char escape[6] = {'\\', 'u', '0', '0', hex[value >> 4 & 15U], hex[value & 15U]};
  log_put(escape, sizeof escape);
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
    log_put_text("\\ufffd");
    return 1;
  }
  bool separator = length == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] | 1) == 0xa9;
  if (separator) log_put_text(s[2] == 0xa8 ? "\\u2028" : "\\u2029");
  else log_put((const char *)s, length);
  return length;
}

static bool plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static void put_escaped(unsigned char c) {
  if (c == '"') log_put_text("\\\"");
  else if (c == '\\') log_put_text("\\\\");
  else if (c == '\n') log_put_text("\\n");
  else if (c == '\r') log_put_text("\\r");
  else put_hex(c);
}

void log_put_json(const char *data, size_t length) {
  const unsigned char *s = (const unsigned char *)data;
  for (size_t i = 0; i < length;) {
    size_t run = i;
    while (run < length && plain(s[run])) run++;
    if (run > i) log_put(data + i, run - i);
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
  log_put(date, 10);
}

static void put_two(uint64_t value) {
  char digits[2] = {(char)('0' + value / 10 % 10), (char)('0' + value % 10)};
  log_put(digits, 2);
}

// RFC3339Nano as Go prints it: trailing zeros of the fraction are left out.
static void put_fraction(uint64_t nanoseconds) {
  char digits[10] = {'.'};
  size_t length = 10;
  if (nanoseconds == 0) return;
  for (size_t i = 9; i > 0; i--, nanoseconds /= 10) digits[i] = (char)('0' + nanoseconds % 10);
  while (digits[length - 1] == '0') length--;
  log_put(digits, length);
}

void log_put_time(uint64_t ns) {
  uint64_t seconds = ns / 1000000000U;
  put_date(seconds / 86400);
  log_put("T", 1);
  put_two(seconds / 3600 % 24);
  log_put(":", 1);
  put_two(seconds / 60 % 60);
  log_put(":", 1);
  put_two(seconds % 60);
  put_fraction(ns % 1000000000U);
  log_put("Z", 1);
}
