// Errors of the node:fs facade: Node's message, code, errno, syscall and path.
import { ERRNO, errnoName, errorCode, type SystemError } from "@lapstrake/base";

const TEXTS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EEXIST: "file already exists",
  ENOTDIR: "not a directory",
  EISDIR: "illegal operation on a directory",
  ENOTEMPTY: "directory not empty",
  EINVAL: "invalid argument",
  ELOOP: "too many symbolic links encountered",
  EROFS: "read-only file system",
  EPERM: "operation not permitted",
  EBADF: "bad file descriptor",
  ENOSPC: "no space left on device",
  EXDEV: "cross-device link not permitted",
  ENAMETOOLONG: "name too long",
};

/** The error Node throws for a failed call; `errno` is the positive number. */
function nodeError(errno: number, syscall: string, path?: string, dest?: string): SystemError {
  const code = errnoName(errno);
  const where = path === undefined ? "" : ` '${path}'${dest === undefined ? "" : ` -> '${dest}'`}`;
  const error = new Error(`${code}: ${TEXTS[code] ?? "unknown error"}, ${syscall}${where}`);
  const fields = {
    errno: -errno,
    code,
    syscall,
    ...(path === undefined ? {} : { path }),
    ...(dest === undefined ? {} : { dest }),
  };
  return Object.assign(error, fields) as SystemError;
}

/** Runs a call of the filesystem; its frozen errors come out as Node's. */
export function asNode<T>(syscall: string, path: string | undefined, run: () => T, dest?: string): T {
  try {
    return run();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || !Object.hasOwn(ERRNO, code) || (error as SystemError).syscall !== undefined) throw error;
    throw nodeError(ERRNO[code as keyof typeof ERRNO], syscall, path, dest);
  }
}
