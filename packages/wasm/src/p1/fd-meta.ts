// What a descriptor is and may: fdstat, rights, flags, filestat, size and times, advice, preopens.
import { ERRNO, fsError } from "@lapstrake/base";
import { FDFLAG_ALL, FILETYPE, RIGHT, WASI } from "./abi.ts";
import type { Descriptor, OpenFile } from "./descriptors.ts";
import { wasiError } from "./errno.ts";
import type { Guest, HostFunctions } from "./guest.ts";
import { filestatOf, filetypeOf, type Filestat } from "./layouts.ts";
import { timesChange } from "./times.ts";

const NO_TIME = 0n;
/** Six kinds of advice, none of which changes anything in memory. */
const LAST_ADVICE = 5;

/** Host calls on the descriptors themselves. */
export function fdMeta(guest: Guest): HostFunctions {
  const { fds, fs, memory } = guest;
  return {
    fd_fdstat_get(fd: number, result: number): number {
      writeFdstat(guest, fds.get(fd), result >>> 0);
      return WASI.SUCCESS;
    },
    fd_fdstat_set_flags(fd: number, flags: number): number {
      if ((flags & ~FDFLAG_ALL) !== 0) return WASI.EINVAL;
      fds.withRights(fd, RIGHT.fdFdstatSetFlags).object.flags = flags;
      return WASI.SUCCESS;
    },
    fd_fdstat_set_rights(fd: number, rights: bigint, inheriting: bigint): number {
      return dropRights(fds.get(fd), low32(rights), low32(inheriting));
    },
    fd_filestat_get(fd: number, result: number): number {
      const { object } = fds.withRights(fd, RIGHT.fdFilestatGet);
      const stat = object.kind === "stream" ? STREAM_STAT : filestatOf(fs.getattr(object.ino));
      guest.layouts.writeFilestat(memory.view, result >>> 0, stat);
      return WASI.SUCCESS;
    },
    fd_filestat_set_size(fd: number, size: bigint): number {
      const { ino } = file(fds.withRights(fd, RIGHT.fdFilestatSetSize));
      fs.setattr(ino, { size: fileSize(size) });
      return WASI.SUCCESS;
    },
    fd_filestat_set_times(fd: number, atime: bigint, mtime: bigint, flags: number): number {
      const { object } = fds.withRights(fd, RIGHT.fdFilestatSetTimes);
      const change = timesChange(guest.clock, atime, mtime, flags);
      if (object.kind === "stream") return WASI.EBADF;
      fs.setattr(object.ino, change);
      return WASI.SUCCESS;
    },
    fd_advise(fd: number, _offset: bigint, _length: bigint, advice: number): number {
      const { object } = fds.get(fd);
      if (object.kind === "dir") return WASI.EBADF;
      if (object.kind === "stream") return WASI.ESPIPE;
      fds.withRights(fd, RIGHT.fdAdvise);
      return advice >>> 0 <= LAST_ADVICE ? WASI.SUCCESS : WASI.EINVAL;
    },
    fd_allocate(fd: number, offset: bigint, length: bigint): number {
      return allocate(guest, fds.get(fd), offset, length);
    },
    fd_prestat_get(fd: number, result: number): number {
      const { preopen } = fds.get(fd);
      if (preopen === undefined) return WASI.EBADF;
      memory.setU32(result, 0);
      memory.setU32(result + 4, preopen.length);
      return WASI.SUCCESS;
    },
    fd_prestat_dir_name(fd: number, at: number, length: number): number {
      const { preopen } = fds.get(fd);
      if (preopen === undefined) return WASI.EBADF;
      if (length >>> 0 < preopen.length) return WASI.ENAMETOOLONG;
      const into = memory.range(at, preopen.length);
      for (let i = 0; i < preopen.length; i++) into[i] = preopen.charCodeAt(i);
      return WASI.SUCCESS;
    },
  };
}

const STREAM_STAT: Filestat = {
  ino: 0n,
  filetype: FILETYPE.char,
  nlink: 1,
  size: 0,
  atimeNs: NO_TIME,
  mtimeNs: NO_TIME,
  ctimeNs: NO_TIME,
};

/** The rights that matter are the lower 30 bits. */
export function low32(rights: bigint): number {
  return Number(BigInt.asUintN(31, rights));
}

/** A size argument; beyond 2^53 is EFBIG. */
function fileSize(size: bigint): number {
  const value = BigInt.asUintN(64, size);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw fsError(ERRNO.EFBIG);
  return Number(value);
}

function writeFdstat(guest: Guest, descriptor: Descriptor, at: number): void {
  const { view } = guest.memory;
  view.setBigUint64(at, 0n, true);
  view.setUint8(at, descriptorType(guest, descriptor));
  view.setUint16(at + 2, descriptor.object.flags, true);
  view.setBigUint64(at + 8, BigInt(descriptor.rights), true);
  view.setBigUint64(at + 16, BigInt(descriptor.inheriting), true);
}

/** A terminal is a character device (isatty() wants that); a pipe has no type in WASI. */
function descriptorType(guest: Guest, { object }: Descriptor): number {
  if (object.kind === "dir") return FILETYPE.dir;
  if (object.kind === "file") return filetypeOf(guest.fs.getattr(object.ino).type);
  const kind = object.input?.kind ?? object.output?.kind;
  return kind === "terminal" ? FILETYPE.char : FILETYPE.unknown;
}

function dropRights(descriptor: Descriptor, rights: number, inheriting: number): number {
  if ((rights & ~descriptor.rights) !== 0 || (inheriting & ~descriptor.inheriting) !== 0) return WASI.ENOTCAPABLE;
  descriptor.rights = rights;
  descriptor.inheriting = inheriting;
  return WASI.SUCCESS;
}

function file({ object }: Descriptor): OpenFile {
  if (object.kind === "file") return object;
  throw wasiError(object.kind === "dir" ? WASI.EISDIR : WASI.EINVAL);
}

/** posix_fallocate(3): the file is at least that long afterwards; memory is taken when it is written. */
function allocate(guest: Guest, descriptor: Descriptor, offset: bigint, length: bigint): number {
  if (descriptor.object.kind === "dir") return WASI.EBADF;
  const { ino } = file(descriptor);
  if ((descriptor.rights & RIGHT.fdAllocate) === 0) return WASI.ENOTCAPABLE;
  if (length <= 0n || offset < 0n) return WASI.EINVAL;
  const end = fileSize(BigInt(offset) + BigInt(length));
  if (guest.fs.getattr(ino).size < end) guest.fs.setattr(ino, { size: end });
  return WASI.SUCCESS;
}
