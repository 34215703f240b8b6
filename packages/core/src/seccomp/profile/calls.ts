// The default profile as data: which calls are open to whom. The rules are those of Moby's default profile of mid 2026
// (whose socket families are an allow-list, so AF_ALG and AF_VSOCK are shut, and in which io_uring has no place); grouped
// here by what the calls are for. A call that is in no group gets EPERM, one newer than all of them ENOSYS.

/** When a group holds; every field that is there must. */
export interface When {
  /** Capability in the bounding set. */
  readonly has?: string;
  readonly arch?: "x86_64" | "aarch64";
  readonly minKernel?: readonly [major: number, minor: number];
}

/** Calls that are open, with the condition; names separated by spaces. */
export interface CallGroup {
  readonly calls: string;
  readonly when?: When;
}

const FILES =
  "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 " +
  "fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync flock fstat " +
  "fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 ioctl lchown " +
  "lchown32 link linkat _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat " +
  "openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename " +
  "renameat renameat2 rmdir sendfile sendfile64 splice stat stat64 statfs statfs64 statx symlink symlinkat sync " +
  "sync_file_range syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice " +
  "write writev listmount statmount";

const XATTRS =
  "fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr " +
  "lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat";

const WAITING =
  "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 " +
  "fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents " +
  "io_pgetevents io_pgetevents_time64 io_setup io_submit _newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 " +
  "select signalfd signalfd4";

const MEMORY =
  "brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 " +
  "mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages";

const PROCESSES =
  "execve execveat exit exit_group fork getcpu getpgid getpgrp getpid getppid getpriority getrusage getsid gettid " +
  "get_thread_area ioprio_get ioprio_set kill pause pidfd_open pidfd_send_signal prctl process_mrelease restart_syscall " +
  "rseq sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler " +
  "sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler " +
  "sched_yield setpgid setpriority setsid set_thread_area set_tid_address sysinfo tgkill times tkill uname uretprobe " +
  "vfork wait4 waitid waitpid getrlimit prlimit64 setrlimit ugetrlimit getrandom";

const SIGNALS =
  "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait " +
  "rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn";

// Ids and capabilities: what may be done with them is the kernel's to decide, the bounding set is small.
const IDENTITY =
  "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 " +
  "getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 " +
  "setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32";

const LOCKS =
  "futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list set_robust_list ipc mq_getsetattr " +
  "mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget " +
  "msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget";

// Reading the clock; adjtimex and clock_adjtime read too, and set only with CAP_SYS_TIME.
const TIME =
  "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 " +
  "clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete " +
  "timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime " +
  "timerfd_gettime64 timerfd_settime timerfd_settime64";

// socketcall stays open although its address family is behind a pointer: 32-bit C libraries that support kernels before
// 4.3 know no other way to a socket. What must not be reached that way is an LSM's to refuse.
const SOCKETS =
  "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg " +
  "send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair";

// Ways for a program to shut itself in further.
const SELF_RESTRICTION = "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp";

const TRACING = "process_vm_readv process_vm_writev ptrace";

/** Calls open without regard to their arguments. */
export const CALL_GROUPS: readonly CallGroup[] = [
  ...[FILES, XATTRS, WAITING, MEMORY, PROCESSES, SIGNALS, IDENTITY, LOCKS, TIME, SOCKETS, SELF_RESTRICTION].map(
    (calls) => ({ calls }),
  ),
  // Before 4.8 a traced process could get past its filter.
  { calls: TRACING, when: { minKernel: [4, 8] } },
  { calls: "arch_prctl modify_ldt", when: { arch: "x86_64" } },
  {
    calls: "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
    when: { arch: "aarch64" },
  },
  { calls: "open_by_handle_at", when: { has: "CAP_DAC_READ_SEARCH" } },
  {
    calls:
      "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules " +
      "lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname " +
      "sethostname setns syslog umount umount2 unshare",
    when: { has: "CAP_SYS_ADMIN" },
  },
  { calls: "reboot", when: { has: "CAP_SYS_BOOT" } },
  { calls: "chroot", when: { has: "CAP_SYS_CHROOT" } },
  { calls: "delete_module init_module finit_module", when: { has: "CAP_SYS_MODULE" } },
  { calls: "acct", when: { has: "CAP_SYS_PACCT" } },
  { calls: `kcmp pidfd_getfd process_madvise ${TRACING}`, when: { has: "CAP_SYS_PTRACE" } },
  { calls: "iopl ioperm", when: { has: "CAP_SYS_RAWIO" } },
  { calls: "settimeofday stime clock_settime clock_settime64", when: { has: "CAP_SYS_TIME" } },
  { calls: "vhangup", when: { has: "CAP_SYS_TTY_CONFIG" } },
  { calls: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node", when: { has: "CAP_SYS_NICE" } },
  { calls: "syslog", when: { has: "CAP_SYSLOG" } },
  { calls: "bpf", when: { has: "CAP_BPF" } },
  { calls: "perf_event_open", when: { has: "CAP_PERFMON" } },
];
