// Strings and numbers without a C library; a bounded builder that never overflows and never allocates.
#ifndef LAP_TEXT_H
#define LAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Text built in a caller's buffer; always terminated, cut at the end of the buffer (`full` says so).
struct text {
  char *at;
  size_t length;
  size_t size;
  bool full;
};

size_t text_length(const char *s);
bool text_equal(const char *a, const char *b);
// Position of the first `c` in `s`, or NULL.
const char *text_find(const char *s, char c);
// Start of `needle` in `s`, or NULL.
const char *text_search(const char *s, const char *needle);
struct text text_in(char *buffer, size_t size);
void text_add(struct text *t, const char *s);
void text_add_bytes(struct text *t, const char *s, size_t length);
void text_add_number(struct text *t, uint64_t value);
// Leading decimal digits of `s`; 0 when there are none.
uint64_t parse_number(const char *s);
void *copy_bytes(void *into, const void *from, size_t length);

#endif
