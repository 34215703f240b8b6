// System calls without a C library: syscall(2) conventions of x86_64 and aarch64. Every wrapper returns the kernel's value,
// negative errno on failure. With LAP_HOSTED (the sanitizer build) they go through libc's syscall().
#ifndef LAP_SYS_H
#define LAP_SYS_H

#include <asm/unistd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// errno(3) numbers (asm-generic), spelled here because libc's <errno.h> is not freestanding.
#include <asm/errno.h>

#define L(x) ((long)(x))
#define sys0(n) sys_raw(n, 0, 0, 0, 0, 0, 0)
#define sys1(n, a) sys_raw(n, L(a), 0, 0, 0, 0, 0)
#define sys2(n, a, b) sys_raw(n, L(a), L(b), 0, 0, 0, 0)
#define sys3(n, a, b, c) sys_raw(n, L(a), L(b), L(c), 0, 0, 0)
#define sys4(n, a, b, c, d) sys_raw(n, L(a), L(b), L(c), L(d), 0, 0)
#define sys5(n, a, b, c, d, e) sys_raw(n, L(a), L(b), L(c), L(d), L(e), 0)
#define sys6(n, a, b, c, d, e, f) sys_raw(n, L(a), L(b), L(c), L(d), L(e), L(f))

#ifdef LAP_HOSTED
long syscall(long number, ...);
int *__errno_location(void);

static inline long sys_raw(long n, long a, long b, long c, long d, long e, long f) {
  long ret = syscall(n, a, b, c, d, e, f);
  return ret == -1 ? -(long)*__errno_location() : ret;
}
#elif defined(__x86_64__)
static inline long sys_raw(long n, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long ret;
  __asm__ volatile("syscall"
                   : "=a"(ret)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return ret;
}
#elif defined(__aarch64__)
static inline long sys_raw(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "unsupported architecture: x86_64 and aarch64 only"
#endif

// The few constants whose headers belong to libc. Values: asm-generic/fcntl.h, bits/stat.h.
#define LAP_O_RDONLY 00
#define LAP_O_WRONLY 01
#define LAP_O_RDWR 02
#define LAP_O_CREAT 0100
#define LAP_O_EXCL 0200
#define LAP_O_NOCTTY 0400
#define LAP_O_TRUNC 01000
#define LAP_O_APPEND 02000
#define LAP_O_NONBLOCK 04000
#define LAP_O_CLOEXEC 02000000
#define LAP_O_PATH 010000000
#if defined(__aarch64__)
#define LAP_O_DIRECTORY 040000
#define LAP_O_NOFOLLOW 0100000
#else
#define LAP_O_DIRECTORY 0200000
#define LAP_O_NOFOLLOW 0400000
#endif
#define LAP_AT_FDCWD (-100)
#define LAP_AT_SYMLINK_NOFOLLOW 0x100
#define LAP_AT_EMPTY_PATH 0x1000
#define LAP_AT_RECURSIVE 0x8000
#define LAP_S_IFMT 0170000
#define LAP_S_IFDIR 0040000
#define LAP_S_IFCHR 0020000
#define LAP_S_IFREG 0100000

void lap_exit(int code) __attribute__((noreturn));
int sys_close(int fd);
int sys_open(const char *path, int flags, unsigned mode);
int sys_openat(int dir, const char *path, int flags, unsigned mode);
long sys_read(int fd, void *into, size_t length);
long sys_write(int fd, const void *from, size_t length);
// Writes all of it, errno on failure.
int write_all(int fd, const void *from, size_t length);
// Writes `text` to an existing file (cgroup and procfs files), errno on failure.
int write_file(const char *path, const char *text);
// Reads at most size-1 bytes of a small file and terminates them; length, or negative errno.
long read_file(const char *path, char *into, size_t size);
// Sleeps, less than a second.
void nap(int64_t milliseconds);

// Closes a descriptor, unless it is -1, and makes it that.
static inline void close_once(int *fd) {
  if (*fd >= 0) (void)sys_close(*fd);
  *fd = -1;
}

// Closes a descriptor when its variable goes out of scope; -1 is none.
static inline void close_fd(int *fd) {
  if (*fd >= 0) (void)sys_close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd))) int

#endif
