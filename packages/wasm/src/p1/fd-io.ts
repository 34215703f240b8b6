// fd_read, fd_write and their positioned forms, fd_seek, fd_tell, fd_close, fd_renumber, fd_sync, fd_datasync.
import { FDFLAG, RIGHT, WASI, WHENCE } from "./abi.ts";
import type { Descriptor, OpenFile, OpenStream } from "./descriptors.ts";
import { wasiError } from "./errno.ts";
import type { Guest, HostFunctions } from "./guest.ts";

const MAX_POSITION = Number.MAX_SAFE_INTEGER;

/** Host calls on the content of descriptors. */
export function fdIo(guest: Guest): HostFunctions {
  const { fds, memory } = guest;
  return {
    fd_read(fd: number, spans: number, count: number, result: number): number {
      const descriptor = fds.withRights(fd, RIGHT.fdRead);
      memory.setU32(result, readInto(guest, descriptor, spans, count, undefined));
      return WASI.SUCCESS;
    },
    fd_pread(fd: number, spans: number, count: number, offset: bigint, result: number): number {
      const descriptor = positioned(fds.withRights(fd, RIGHT.fdRead | RIGHT.fdSeek));
      memory.setU32(result, readInto(guest, descriptor, spans, count, position(offset)));
      return WASI.SUCCESS;
    },
    fd_write(fd: number, spans: number, count: number, result: number): number {
      const descriptor = fds.withRights(fd, RIGHT.fdWrite);
      memory.setU32(result, writeFrom(guest, descriptor, spans, count, undefined));
      return WASI.SUCCESS;
    },
    fd_pwrite(fd: number, spans: number, count: number, offset: bigint, result: number): number {
      const descriptor = positioned(fds.withRights(fd, RIGHT.fdWrite | RIGHT.fdSeek));
      memory.setU32(result, writeFrom(guest, descriptor, spans, count, position(offset)));
      return WASI.SUCCESS;
    },
    fd_seek(fd: number, offset: bigint, whence: number, result: number): number {
      const file = seekable(fds.get(fd));
      const standard = guest.layouts.whence(whence);
      if (standard === undefined) return WASI.EINVAL;
      // Asking for the position only is what fd_tell is for, and needs no more than its right.
      fds.withRights(fd, standard === WHENCE.cur && offset === 0n ? RIGHT.fdTell : RIGHT.fdSeek);
      file.position = target(guest, file, offset, standard);
      memory.setU64(result, BigInt(file.position));
      return WASI.SUCCESS;
    },
    fd_tell(fd: number, result: number): number {
      const file = seekable(fds.get(fd));
      fds.withRights(fd, RIGHT.fdTell);
      memory.setU64(result, BigInt(file.position));
      return WASI.SUCCESS;
    },
    fd_close(fd: number): number {
      fds.close(fd);
      return WASI.SUCCESS;
    },
    fd_renumber(from: number, to: number): number {
      fds.renumber(from, to);
      return WASI.SUCCESS;
    },
    fd_sync: (fd: number): number => sync(guest, fds.withRights(fd, RIGHT.fdSync)),
    fd_datasync: (fd: number): number => sync(guest, fds.withRights(fd, RIGHT.fdDatasync)),
  };
}

function sync(guest: Guest, { object }: Descriptor): number {
  if (object.kind === "file") guest.fs.fsync(object.handle);
  return WASI.SUCCESS;
}

/** Streams have no position. */
function positioned(descriptor: Descriptor): Descriptor {
  if (descriptor.object.kind === "stream") throw wasiError(WASI.ESPIPE);
  if (descriptor.object.kind === "dir") throw wasiError(WASI.EISDIR);
  return descriptor;
}

function seekable({ object }: Descriptor): OpenFile {
  if (object.kind === "file") return object;
  throw wasiError(object.kind === "stream" ? WASI.ESPIPE : WASI.EBADF);
}

/** A file offset argument: unsigned 64 bits on the wire, 2^53 here. */
function position(offset: bigint): number {
  const value = BigInt.asUintN(64, offset);
  if (value > BigInt(MAX_POSITION)) throw wasiError(WASI.EINVAL);
  return Number(value);
}

function target(guest: Guest, file: OpenFile, offset: bigint, whence: number): number {
  const base = whence === WHENCE.set ? 0 : whence === WHENCE.cur ? file.position : guest.fs.getattr(file.ino).size;
  const result = base + Number(offset);
  if (result < 0 || result > MAX_POSITION) throw wasiError(WASI.EINVAL);
  return result;
}

/** Fills the spans in order; stops at the first short read. */
function readInto(guest: Guest, { object }: Descriptor, at: number, count: number, offset: number | undefined): number {
  if (object.kind === "dir") throw wasiError(WASI.EISDIR);
  guest.interrupt.check();
  const { memory, fs } = guest;
  const bytes = memory.bytes;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const start = memory.u32(at + 8 * i);
    const length = memory.u32(at + 8 * i + 4);
    if (start + length > bytes.length) throw wasiError(WASI.EFAULT);
    if (length === 0) continue;
    const got =
      object.kind === "stream"
        ? readStream(object, bytes, start, length, total)
        : fs.read(
            object.handle,
            bytes,
            start,
            length,
            (offset ?? object.position) + (offset === undefined ? 0 : total),
          );
    if (object.kind === "file" && offset === undefined) object.position += got;
    total += got;
    if (got < length) break;
  }
  return total;
}

/** Waits for the first bytes only; with something read already, takes what is there. */
function readStream(object: OpenStream, bytes: Uint8Array, start: number, length: number, already: number): number {
  const { input } = object;
  if (input === undefined) throw wasiError(WASI.EBADF);
  const ready = already > 0 || (object.flags & FDFLAG.nonblock) !== 0 ? input.ready() : 1;
  if (ready < 0) return 0;
  if (ready > 0) return input.read(bytes, start, length);
  if (already > 0) return 0;
  throw wasiError(WASI.EAGAIN);
}

/** Writes the spans in order; stops at the first short write. */
function writeFrom(
  guest: Guest,
  { object }: Descriptor,
  at: number,
  count: number,
  offset: number | undefined,
): number {
  if (object.kind === "dir") throw wasiError(WASI.EBADF);
  guest.interrupt.check();
  const { memory } = guest;
  const bytes = memory.bytes;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const start = memory.u32(at + 8 * i);
    const length = memory.u32(at + 8 * i + 4);
    if (start + length > bytes.length) throw wasiError(WASI.EFAULT);
    if (length === 0) continue;
    const put =
      object.kind === "stream"
        ? writeStream(object, bytes, start, length)
        : writeFile(guest, object, bytes, start, length, offset === undefined ? undefined : offset + total);
    total += put;
    if (put < length) break;
  }
  return total;
}

function writeStream({ output }: OpenStream, bytes: Uint8Array, start: number, length: number): number {
  if (output === undefined) throw wasiError(WASI.EBADF);
  return output.write(bytes, start, length);
}

/** Appending writes go to the end and move the position there; a positioned write moves nothing. */
function writeFile(
  guest: Guest,
  file: OpenFile,
  bytes: Uint8Array,
  start: number,
  length: number,
  offset: number | undefined,
): number {
  const append = (file.flags & FDFLAG.append) !== 0;
  const at = append ? guest.fs.getattr(file.ino).size : (offset ?? file.position);
  const put = guest.fs.write(file.handle, bytes, start, length, at);
  if (offset === undefined) file.position = at + put;
  return put;
}
