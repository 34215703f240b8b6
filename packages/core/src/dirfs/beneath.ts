// Resolution beneath a descriptor: openat2(2) with RESOLVE_BENEATH, without links of any kind.
import { fsError, type ByteString } from "@lapstrake/base";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../sys/flags.ts";
import type { SyscallPort } from "../sys/port.ts";

const EAGAIN = 11;
const EINTR = 4;
const MAX_RETRIES = 64;
const RESOLVE = BigInt(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

const how = new BigUint64Array(3);
const howBytes = new Uint8Array(how.buffer);

/** Opens `path` beneath `dir`; the descriptor is close-on-exec. Throws the errno. */
export function openBeneath(sys: SyscallPort, dir: number, path: ByteString, flags: number, mode = 0): number {
  how[0] = BigInt(flags | O_CLOEXEC);
  how[1] = BigInt(mode);
  how[2] = RESOLVE;
  for (let attempt = 0; ; attempt++) {
    const fd = sys.call("openat2", dir, path === "" ? "." : path, howBytes, 24);
    if (fd >= 0) return fd;
    // A rename elsewhere made the kernel unsure whether the walk stayed beneath: ask again.
    if ((fd !== -EAGAIN && fd !== -EINTR) || attempt === MAX_RETRIES) throw fsError(-fd);
  }
}

/** Opens a directory for resolution only. */
export function openParent(sys: SyscallPort, dir: number, path: ByteString): number {
  return openBeneath(sys, dir, path, O_PATH | O_DIRECTORY);
}
