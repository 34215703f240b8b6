// Failures as components see them: the enum `error-code` of wasi:filesystem (0.2 and 0.3), thrown as plain strings for jco's glue.
import { ERRNO } from "@lapstrake/base";

const CODES: ReadonlyMap<number, string> = new Map([
  [ERRNO.EACCES, "access"],
  [ERRNO.EAGAIN, "would-block"],
  [ERRNO.EALREADY, "already"],
  [ERRNO.EBADF, "bad-descriptor"],
  [ERRNO.EBUSY, "busy"],
  [ERRNO.EDEADLK, "deadlock"],
  [ERRNO.EDQUOT, "quota"],
  [ERRNO.EEXIST, "exist"],
  [ERRNO.EFBIG, "file-too-large"],
  [ERRNO.EILSEQ, "illegal-byte-sequence"],
  [ERRNO.EINPROGRESS, "in-progress"],
  [ERRNO.EINTR, "interrupted"],
  [ERRNO.EINVAL, "invalid"],
  [ERRNO.EIO, "io"],
  [ERRNO.EISDIR, "is-directory"],
  [ERRNO.ELOOP, "loop"],
  [ERRNO.EMLINK, "too-many-links"],
  [ERRNO.ENAMETOOLONG, "name-too-long"],
  [ERRNO.ENODEV, "no-device"],
  [ERRNO.ENOENT, "no-entry"],
  [ERRNO.ENOMEM, "insufficient-memory"],
  [ERRNO.ENOSPC, "insufficient-space"],
  [ERRNO.ENOTDIR, "not-directory"],
  [ERRNO.ENOTEMPTY, "not-empty"],
  [ERRNO.EOPNOTSUPP, "unsupported"],
  [ERRNO.ENOSYS, "unsupported"],
  [ERRNO.ENOTTY, "no-tty"],
  [ERRNO.ENXIO, "no-such-device"],
  [ERRNO.EOVERFLOW, "overflow"],
  [ERRNO.EPERM, "not-permitted"],
  [ERRNO.EPIPE, "pipe"],
  [ERRNO.EROFS, "read-only"],
  [ERRNO.ESPIPE, "invalid-seek"],
  [ERRNO.ETXTBSY, "text-file-busy"],
  [ERRNO.EXDEV, "cross-device"],
]);

/** The code of a failed filesystem call; undefined for anything else (an exit, a limit, a defect of ours). */
export function codeOf(error: unknown): string | undefined {
  if (typeof error === "string") return error;
  const errno = error instanceof Error ? (error as { errno?: unknown }).errno : undefined;
  return typeof errno === "number" && errno < 0 ? (CODES.get(-errno) ?? "io") : undefined;
}

/** Runs `call`; what it throws becomes the code, thrown as jco wants it. */
export function coded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw codeOf(error) ?? error;
  }
}
