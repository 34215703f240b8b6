// statx(2) and getdents64(2): their structures as FileStat and DirEntry.
import { ERRNO, fromBytes, fsError, type DirEntry, type FileStat, type FileType, type Timespec } from "@lapstrake/base";
import { AT_SYMLINK_NOFOLLOW, FILE_TYPE_BITS, S_IFMT } from "../sys/flags.ts";
import type { SyscallPort } from "../sys/port.ts";
import type { Place } from "./parents.ts";

const STATX_BASIC_STATS = 0x7ff;

const statx = new Uint8Array(256);
const view = new DataView(statx.buffer);

const TYPE_OF_BITS: ReadonlyMap<number, FileType> = new Map(
  (Object.entries(FILE_TYPE_BITS) as [FileType, number][]).map(([type, bits]) => [bits, type]),
);

// DT_* of readdir(3) are the file type bits shifted by 12.
function direntType(dt: number): FileType | undefined {
  return TYPE_OF_BITS.get(dt << 12);
}

function u64(at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

function timespec(at: number): Timespec {
  return { sec: view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true), nsec: view.getUint32(at + 8, true) };
}

function decodeStat(): FileStat {
  const mode = view.getUint16(28, true);
  return {
    type: TYPE_OF_BITS.get(mode & S_IFMT) ?? "file",
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    size: u64(40),
    nlink: view.getUint32(16, true),
    ino: u64(32),
    dev: view.getUint32(136, true) * 2 ** 20 + view.getUint32(140, true),
    rdevMajor: view.getUint32(128, true),
    rdevMinor: view.getUint32(132, true),
    blocks: u64(48),
    atime: timespec(64),
    ctime: timespec(96),
    mtime: timespec(112),
  };
}

/** lstat of a place; undefined when it does not exist. `flags` adds AT_EMPTY_PATH for a descriptor itself. */
export function statAt(sys: SyscallPort, place: Place, flags = 0): FileStat | undefined {
  const ret = sys.call("statx", place.fd, place.name, AT_SYMLINK_NOFOLLOW | flags, STATX_BASIC_STATS, statx);
  if (ret === -ERRNO.ENOENT) return undefined;
  if (ret < 0) throw fsError(-ret);
  return decodeStat();
}

const DIRENT_BYTES = 64 * 1024;

/** Names of an open directory (read from its start), without "." and "..", in the filesystem's order. */
export function readEntries(sys: SyscallPort, fd: number): DirEntry[] {
  const buffer = new Uint8Array(DIRENT_BYTES);
  const entries: DirEntry[] = [];
  for (;;) {
    const got = sys.call("getdents64", fd, buffer, DIRENT_BYTES);
    if (got < 0) throw fsError(-got);
    if (got === 0) return entries;
    for (let at = 0; at < got; at += buffer[at + 16]! | (buffer[at + 17]! << 8)) {
      const end = buffer.indexOf(0, at + 19);
      const name = fromBytes(buffer, at + 19, end);
      if (name !== "." && name !== "..") entries.push({ name, type: direntType(buffer[at + 18]!) });
    }
  }
}
