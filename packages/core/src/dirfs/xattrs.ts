// Extended attributes without following links: the l*xattr calls on /proc/self/fd/<parent>/<name> (xattr(7)).
import { ERRNO, fromBytes, fsError, type ByteString } from "@lapstrake/base";
import type { SyscallPort } from "../sys/port.ts";
import type { Place } from "./parents.ts";

const FIRST_GUESS = 1024;

function pathOf(place: Place): ByteString {
  return `/proc/self/fd/${place.fd}/${place.name}`;
}

// The size may change between asking and reading, so a full buffer is asked again.
function readGrowing(read: (buffer: Uint8Array) => number): Uint8Array | number {
  for (let size = FIRST_GUESS; ; size *= 8) {
    const buffer = new Uint8Array(size);
    const got = read(buffer);
    if (got >= 0) return buffer.subarray(0, got);
    if (got !== -ERRNO.ERANGE || size > 1 << 20) return got;
  }
}

/** Names of all attributes; [] where the filesystem has none. */
export function listXattrs(sys: SyscallPort, place: Place): ByteString[] {
  const got = readGrowing((buffer) => sys.call("llistxattr", pathOf(place), buffer, buffer.length));
  if (got === -ERRNO.EOPNOTSUPP) return [];
  if (typeof got === "number") throw fsError(-got);
  return fromBytes(got).split("\0").slice(0, -1);
}

export function getXattr(sys: SyscallPort, place: Place, name: ByteString): Uint8Array | undefined {
  const got = readGrowing((buffer) => sys.call("lgetxattr", pathOf(place), name, buffer, buffer.length));
  if (got === -ERRNO.ENODATA || got === -ERRNO.EOPNOTSUPP) return undefined;
  if (typeof got === "number") throw fsError(-got);
  return got;
}

export function setXattr(sys: SyscallPort, place: Place, name: ByteString, value: Uint8Array): void {
  const ret = sys.call("lsetxattr", pathOf(place), name, value, value.length, 0);
  if (ret < 0) throw fsError(-ret);
}

export function removeXattr(sys: SyscallPort, place: Place, name: ByteString): void {
  const ret = sys.call("lremovexattr", pathOf(place), name);
  if (ret < 0) throw fsError(-ret);
}
