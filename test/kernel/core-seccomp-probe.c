// Makes system calls of the three ABIs of x86_64 and prints what each returned (a negative errno), one a line.
// Arguments: ABI (64, 32 by int 0x80, x32), number, three arguments; and again. Static: 32-bit calls need no 32-bit program.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long call64(long nr, long a, long b, long c) {
  long ret;
  register long d __asm__("r10") = 0;
  register long e __asm__("r8") = 0;
  __asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(d), "r"(e) : "rcx", "r11", "memory");
  return ret;
}

static long call32(long nr, long a, long b, long c) {
  int ret;
  __asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(0), "D"(0) : "r8", "r9", "r10", "r11", "memory");
  return ret;
}

int main(int argc, char **argv) {
  for (int i = 1; i + 4 < argc; i += 5) {
    long nr = atol(argv[i + 1]), a = atol(argv[i + 2]), b = atol(argv[i + 3]), c = atol(argv[i + 4]);
    if (strcmp(argv[i], "32") == 0) printf("%ld\n", call32(nr, a, b, c));
    else printf("%ld\n", call64(strcmp(argv[i], "x32") == 0 ? nr | 0x40000000 : nr, a, b, c));
    fflush(stdout);
  }
  return 0;
}
