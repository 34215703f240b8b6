// lap-probe [-t] ROOTFS CMD [ARG…]: the denominator of the benchmarks. Plain C with libc: the namespaces and mounts of a
// container (proc, /dev with six devices, devpts, shm, mqueue, sysfs, masks, read-only paths, pivot_root) and exec, no
// cgroups, no supervisor, no policy. Prints nothing (-t: its own start to exit in microseconds); exits with the command's status.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
  perror(what);
  _exit(125);
}

static void must(int result, const char *what) {
  if (result != 0) die(what);
}

static void mount_on(const char *type, const char *target, unsigned long flags, const char *data) {
  (void)mkdir(target, 0755);
  must(mount(type, target, type, flags, data), target);
}

static void cover(const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) return;
  if (S_ISDIR(st.st_mode)) must(mount("tmpfs", path, "tmpfs", MS_RDONLY, "size=0k"), path);
  else must(mount("dev/null", path, NULL, MS_BIND, NULL), path);
}

static void read_only(const char *path) {
  if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) != 0) return;
  must(mount(path, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), path);
}

static void make_devices(void) {
  static const struct {
    const char *path;
    unsigned major, minor;
  } devices[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
                 {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
  for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
    must(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)), devices[i].path);
  }
  must(symlink("/proc/self/fd", "dev/fd"), "dev/fd");
  must(symlink("pts/ptmx", "dev/ptmx"), "dev/ptmx");
}

static void make_root(const char *rootfs) {
  static const char *masked[] = {"proc/acpi", "proc/kcore", "proc/keys", "proc/timer_list", "sys/firmware"};
  static const char *fixed[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
  const unsigned long strict = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
  must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "bind root");
  must(chdir(rootfs), "chdir");
  mount_on("proc", "proc", strict, NULL);
  mount_on("tmpfs", "dev", MS_NOSUID, "mode=755");
  mount_on("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  mount_on("tmpfs", "dev/shm", strict, "mode=1777");
  mount_on("mqueue", "dev/mqueue", strict, NULL);
  mount_on("sysfs", "sys", strict | MS_RDONLY, NULL);
  make_devices();
  for (size_t i = 0; i < sizeof masked / sizeof masked[0]; i++) cover(masked[i]);
  for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) read_only(fixed[i]);
  must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
  must(chdir("/"), "chdir");
}

// From before the spawn to after the wait, without the cost of whoever measures in another language.
static int timed(char **argv) {
  struct timespec start, end;
  int status;
  pid_t pid;
  must(clock_gettime(CLOCK_MONOTONIC, &start), "clock_gettime");
  must(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), "posix_spawn");
  if (waitpid(pid, &status, 0) != pid) die("waitpid");
  must(clock_gettime(CLOCK_MONOTONIC, &end), "clock_gettime");
  printf("%lld\n", (end.tv_sec - start.tv_sec) * 1000000LL + (end.tv_nsec - start.tv_nsec) / 1000);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "-t") == 0) return timed(argv + 1);
  struct clone_args args = {.exit_signal = SIGCHLD};
  int status;
  if (argc < 3) return 125;
  args.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
  long pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) die("clone3");
  if (pid == 0) {
    make_root(argv[1]);
    must(sethostname("probe", 5), "hostname");
    execv(argv[2], argv + 2);
    die(argv[2]);
  }
  if (waitpid((pid_t)pid, &status, 0) < 0) die("wait");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
