// Maps argv[1] pages of 2 MiB one by one, writes to each, and says how many there were and what ended it.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE (2UL << 20)

int main(int argc, char **argv) {
  int wanted = argc > 1 ? atoi(argv[1]) : 1;
  int got = 0;
  for (; got < wanted; got++) {
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (page == MAP_FAILED) break;
    *page = 1;
  }
  printf("%d %s\n", got, got == wanted ? "all" : strerror(errno));
  return 0;
}
