// See text.h.
#include "text.h"

size_t text_length(const char *s) {
  size_t n = 0;
  while (s[n] != 0) n++;
  return n;
}

bool text_equal(const char *a, const char *b) {
  while (*a != 0 && *a == *b) {
    a++;
    b++;
  }
  return *a == *b;
}

const char *text_find(const char *s, char c) {
  for (; *s != 0; s++) {
    if (*s == c) return s;
  }
  return NULL;
}

const char *text_search(const char *s, const char *needle) {
  for (; *s != 0; s++) {
    size_t i = 0;
    while (needle[i] != 0 && s[i] == needle[i]) i++;
    if (needle[i] == 0) return s;
  }
  return NULL;
}

struct text text_in(char *buffer, size_t size) {
  buffer[0] = 0;
  return (struct text){.at = buffer, .length = 0, .size = size, .full = false};
}

void text_add_bytes(struct text *t, const char *s, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (t->length + 1 >= t->size) {
      t->full = true;
      return;
    }
    t->at[t->length++] = s[i];
    t->at[t->length] = 0;
  }
}

void text_add(struct text *t, const char *s) { text_add_bytes(t, s, text_length(s)); }

void text_add_number(struct text *t, uint64_t value) {
  char digits[21];
  size_t n = sizeof digits;
  do {
    digits[--n] = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  text_add_bytes(t, digits + n, sizeof digits - n);
}

uint64_t parse_number(const char *s) {
  uint64_t value = 0;
  for (; *s >= '0' && *s <= '9'; s++) value = value * 10 + (uint64_t)(*s - '0');
  return value;
}

void *copy_bytes(void *into, const void *from, size_t length) {
  unsigned char *to = into;
  const unsigned char *src = from;
  for (size_t i = 0; i < length; i++) to[i] = src[i];
  return into;
}
