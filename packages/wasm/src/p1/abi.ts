// Numbers of WASI preview1 (witx/typenames of wasi_snapshot_preview1): errno, rights, flags, file types, struct sizes.
// wasi_unstable shares them except where unstable.ts says otherwise.

/** WASI errno values by the POSIX name they stand for. */
export const WASI = {
  SUCCESS: 0,
  E2BIG: 1,
  EACCES: 2,
  EAGAIN: 6,
  EBADF: 8,
  EBUSY: 10,
  ECHILD: 12,
  EDEADLK: 16,
  EDOM: 18,
  EDQUOT: 19,
  EEXIST: 20,
  EFAULT: 21,
  EFBIG: 22,
  EILSEQ: 25,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  EMLINK: 34,
  ENAMETOOLONG: 37,
  ENFILE: 41,
  ENOBUFS: 42,
  ENODEV: 43,
  ENOENT: 44,
  ENOEXEC: 45,
  ENOMEM: 48,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTCONN: 53,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTSOCK: 57,
  ENOTSUP: 58,
  ENOTTY: 59,
  ENXIO: 60,
  EOVERFLOW: 61,
  EPERM: 63,
  EPIPE: 64,
  ERANGE: 68,
  EROFS: 69,
  ESPIPE: 70,
  ESRCH: 71,
  ESTALE: 72,
  ETIMEDOUT: 73,
  ETXTBSY: 74,
  EXDEV: 75,
  ENOTCAPABLE: 76,
} as const;

/** Rights: what a descriptor may be used for. */
export const RIGHT = {
  fdDatasync: 0x1,
  fdRead: 0x2,
  fdSeek: 0x4,
  fdFdstatSetFlags: 0x8,
  fdSync: 0x10,
  fdTell: 0x20,
  fdWrite: 0x40,
  fdAdvise: 0x80,
  fdAllocate: 0x100,
  pathCreateDirectory: 0x200,
  pathCreateFile: 0x400,
  pathLinkSource: 0x800,
  pathLinkTarget: 0x1000,
  pathOpen: 0x2000,
  fdReaddir: 0x4000,
  pathReadlink: 0x8000,
  pathRenameSource: 0x10000,
  pathRenameTarget: 0x20000,
  pathFilestatGet: 0x40000,
  pathFilestatSetSize: 0x80000,
  pathFilestatSetTimes: 0x100000,
  fdFilestatGet: 0x200000,
  fdFilestatSetSize: 0x400000,
  fdFilestatSetTimes: 0x800000,
  pathSymlink: 0x1000000,
  pathRemoveDirectory: 0x2000000,
  pathUnlinkFile: 0x4000000,
  pollFdReadwrite: 0x8000000,
  sockShutdown: 0x10000000,
  sockAccept: 0x20000000,
} as const;

const COMMON: number = RIGHT.fdFdstatSetFlags | RIGHT.fdFilestatGet | RIGHT.fdFilestatSetTimes | RIGHT.fdSync;

/** What a regular file can be used for. */
export const FILE_RIGHTS: number =
  COMMON |
  RIGHT.fdDatasync |
  RIGHT.fdRead |
  RIGHT.fdSeek |
  RIGHT.fdTell |
  RIGHT.fdWrite |
  RIGHT.fdAdvise |
  RIGHT.fdAllocate |
  RIGHT.fdFilestatSetSize |
  RIGHT.pollFdReadwrite;

/** What a directory can be used for. */
export const DIR_RIGHTS: number =
  COMMON |
  RIGHT.fdDatasync |
  RIGHT.fdAdvise |
  RIGHT.pathCreateDirectory |
  RIGHT.pathCreateFile |
  RIGHT.pathLinkSource |
  RIGHT.pathLinkTarget |
  RIGHT.pathOpen |
  RIGHT.fdReaddir |
  RIGHT.pathReadlink |
  RIGHT.pathRenameSource |
  RIGHT.pathRenameTarget |
  RIGHT.pathFilestatGet |
  RIGHT.pathFilestatSetSize |
  RIGHT.pathFilestatSetTimes |
  RIGHT.pathSymlink |
  RIGHT.pathRemoveDirectory |
  RIGHT.pathUnlinkFile;

/** What a stream (pipe, terminal) can be used for; without seek and tell, which is how wasi-libc's isatty() tells. */
export const STREAM_RIGHTS: number =
  RIGHT.fdRead | RIGHT.fdWrite | RIGHT.fdFdstatSetFlags | RIGHT.fdFilestatGet | RIGHT.pollFdReadwrite;

/** Writing in any form: asks for a writable handle. */
export const WRITE_RIGHTS: number = RIGHT.fdWrite | RIGHT.fdAllocate | RIGHT.fdFilestatSetSize;

export const FILETYPE = {
  unknown: 0,
  block: 1,
  char: 2,
  dir: 3,
  file: 4,
  socketDgram: 5,
  socketStream: 6,
  symlink: 7,
} as const;

export const FDFLAG = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
/** Every defined fd flag. */
export const FDFLAG_ALL = 31;
export const OFLAG = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
/** lookupflags: follow a symbolic link in the last place. */
export const LOOKUP_FOLLOW = 1;
export const FSTFLAG = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const;
export const WHENCE = { set: 0, cur: 1, end: 2 } as const;
export const CLOCK = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;
export const EVENT = { clock: 0, fdRead: 1, fdWrite: 2 } as const;
/** subclockflags: the timeout is a point in time, not a duration. */
export const CLOCK_ABSTIME = 1;
/** eventrwflags: the other side is gone. */
export const EVENT_HANGUP = 1;
