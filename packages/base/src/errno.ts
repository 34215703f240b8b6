// Kernel failures in Node's shape, over errno numbers (errno(3), asm-generic numbering as on x86_64 and aarch64).
// Hot paths throw the frozen constants of `fsError`, which carry no stack.

/** Linux errno numbers by name: errno(3). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EOVERFLOW: 75,
  EILSEQ: 84,
  ERESTART: 85,
  EUSERS: 87,
  ENOTSOCK: 88,
  EMSGSIZE: 90,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  ESTALE: 116,
  EDQUOT: 122,
} as const;

export type ErrnoName = keyof typeof ERRNO;

const NAMES: ReadonlyMap<number, ErrnoName> = new Map(
  (Object.entries(ERRNO) as [ErrnoName, number][]).map(([name, value]) => [value, name]),
);

/** Name of a positive errno, `"E<number>"` when it is not in {@link ERRNO}. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/** A failed filesystem or system call: Node's fields (`code`, negative `errno`, `syscall`, `path`). */
export interface SystemError extends Error {
  readonly code: string;
  /** Negative errno, as in Node. */
  readonly errno: number;
  readonly syscall?: string;
  readonly path?: string;
}

/** A new {@link SystemError}; `errno` is the positive number. */
export function systemError(errno: number, syscall: string, path?: string): SystemError {
  const code = errnoName(errno);
  const shown = path === undefined ? "" : ` '${path}'`;
  const error = new Error(`${code}: ${syscall}${shown}`) as unknown as Record<string, unknown>;
  error["code"] = code;
  error["errno"] = -errno;
  error["syscall"] = syscall;
  if (path !== undefined) error["path"] = path;
  return error as unknown as SystemError;
}

/** A stack-less, frozen filesystem error; one object per errno, so a miss costs no stack capture. */
export class FsError extends Error implements SystemError {
  readonly code: string;
  readonly errno: number;

  constructor(errno: number) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(errnoName(errno));
    Error.stackTraceLimit = limit;
    this.name = "FsError";
    this.code = errnoName(errno);
    this.errno = -errno;
  }
}

const FROZEN = new Map<number, FsError>();

/** The frozen {@link FsError} of a positive errno. */
export function fsError(errno: number): FsError {
  let error = FROZEN.get(errno);
  if (error === undefined) {
    error = Object.freeze(new FsError(errno));
    FROZEN.set(errno, error);
  }
  return error;
}

/** The `code` of a Node-shaped error (`"ENOENT"`), else undefined. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? code : undefined;
}
