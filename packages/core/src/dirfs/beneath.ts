// Resolution beneath a descriptor: openat2(2) with RESOLVE_BENEATH, without links of any kind.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../sys/flags.ts";
import type { SyscallPort } from "../sys/port.ts";

const MAX_RETRIES = 64;
const RESOLVE = BigInt(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

const how = new BigUint64Array(3);
const howBytes = new Uint8Array(how.buffer);

/** The longest path that one call takes: PATH_MAX without its NUL. Containers can nest deeper. */
const MAX_PATH = 4095;

/** Opens `path` beneath `dir`, however long it is; the descriptor is close-on-exec. Throws the errno. */
export function openBeneath(sys: SyscallPort, dir: number, path: ByteString, flags: number, mode = 0): number {
  if (path.length <= MAX_PATH) return openShort(sys, dir, path, flags, mode);
  const slash = path.lastIndexOf("/", MAX_PATH);
  if (slash <= 0) throw fsError(ERRNO.ENAMETOOLONG);
  const fd = openShort(sys, dir, path.slice(0, slash), O_PATH | O_DIRECTORY, 0);
  try {
    return openBeneath(sys, fd, path.slice(slash + 1), flags, mode);
  } finally {
    sys.call("close", fd);
  }
}

function openShort(sys: SyscallPort, dir: number, path: ByteString, flags: number, mode: number): number {
  how[0] = BigInt(flags | O_CLOEXEC);
  how[1] = BigInt(mode);
  how[2] = RESOLVE;
  for (let attempt = 0; ; attempt++) {
    const fd = sys.call("openat2", dir, path === "" ? "." : path, howBytes, 24);
    if (fd >= 0) return fd;
    // A rename elsewhere made the kernel unsure whether the walk stayed beneath: ask again.
    if ((fd !== -ERRNO.EAGAIN && fd !== -ERRNO.EINTR) || attempt === MAX_RETRIES) throw fsError(-fd);
  }
}

/** Opens a directory for resolution only. */
export function openParent(sys: SyscallPort, dir: number, path: ByteString): number {
  return openBeneath(sys, dir, path, O_PATH | O_DIRECTORY);
}
