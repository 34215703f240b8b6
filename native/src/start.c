// The entry of the freestanding programs: the kernel's initial stack (argc, argv, envp) becomes a call of lap_main, and
// the four memory functions that gcc may call on its own (gcc manual, "Language Standards Supported by GCC").
#include <stddef.h>

#include "sys.h"

int lap_main(int argc, char **argv, char **envp);
void start_c(long *stack) __attribute__((used, noreturn));
void *memcpy(void *into, const void *from, size_t length);
void *memmove(void *into, const void *from, size_t length);
void *memset(void *into, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n  xor %ebp,%ebp\n  mov %rsp,%rdi\n  and $-16,%rsp\n  call start_c\n  hlt\n");
#else
__asm__(".globl _start\n_start:\n  mov x29,#0\n  mov x0,sp\n  and sp,x0,#-16\n  bl start_c\n");
#endif

void start_c(long *stack) {
  int argc = (int)stack[0];
  char **argv = (char **)(stack + 1);
  lap_exit(lap_main(argc, argv, argv + argc + 1));
}

#if defined(__x86_64__)
void *memcpy(void *into, const void *from, size_t length) {
  void *to = into;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
  return into;
}

void *memset(void *into, int value, size_t length) {
  void *to = into;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(value) : "memory");
  return into;
}
#else
void *memcpy(void *into, const void *from, size_t length) {
  volatile unsigned char *to = into;
  const unsigned char *src = from;
  while (length-- > 0) *to++ = *src++;
  return into;
}

void *memset(void *into, int value, size_t length) {
  volatile unsigned char *to = into;
  while (length-- > 0) *to++ = (unsigned char)value;
  return into;
}
#endif

void *memmove(void *into, const void *from, size_t length) {
  volatile unsigned char *to = into;
  const unsigned char *src = from;
  if ((const unsigned char *)into <= src) return memcpy(into, from, length);
  while (length-- > 0) to[length] = src[length];
  return into;
}

int memcmp(const void *a, const void *b, size_t length) {
  const unsigned char *x = a;
  const unsigned char *y = b;
  for (size_t i = 0; i < length; i++) {
    if (x[i] != y[i]) return x[i] - y[i];
  }
  return 0;
}
