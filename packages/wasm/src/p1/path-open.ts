// path_open: openat(2) with rights instead of an access mode.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import { OPEN, type Handle, type Ino } from "@lapstrake/layers";
import { DIR_RIGHTS, FDFLAG_ALL, FILE_RIGHTS, LOOKUP_FOLLOW, OFLAG, RIGHT, WASI, WRITE_RIGHTS } from "./abi.ts";
import type { Descriptor, DirDescriptor } from "./descriptors.ts";
import { wasiError } from "./errno.ts";
import { low32 } from "./fd-meta.ts";
import type { Guest, HostFunctions } from "./guest.ts";
import { walk, type Place } from "./walk.ts";

const NEW_FILE_MODE = 0o644;
const OFLAG_ALL = 15;

interface Request {
  readonly base: DirDescriptor;
  readonly path: ByteString;
  readonly follow: boolean;
  readonly oflags: number;
  readonly rights: number;
  readonly inheriting: number;
  readonly fdflags: number;
}

/** Host calls that open files. */
export function pathOpen(guest: Guest): HostFunctions {
  const { fds, memory } = guest;
  return {
    path_open(
      fd: number,
      lookup: number,
      at: number,
      length: number,
      oflags: number,
      rights: bigint,
      inheriting: bigint,
      fdflags: number,
      result: number,
    ): number {
      const base = fds.dir(fd, RIGHT.pathOpen);
      const opened = open(guest, {
        base,
        path: memory.path(at, length),
        follow: (lookup & LOOKUP_FOLLOW) !== 0,
        oflags,
        rights: low32(rights),
        inheriting: low32(inheriting),
        fdflags,
      });
      memory.setU32(result, opened);
      return WASI.SUCCESS;
    },
  };
}

/** The new descriptor's number. */
function open(guest: Guest, request: Request): number {
  checkRequest(request);
  guest.fds.reserve();
  const exclusive = (request.oflags & (OFLAG.create | OFLAG.exclusive)) === (OFLAG.create | OFLAG.exclusive);
  const place = walk(guest.fs, request.base, request.path, request.follow && !exclusive);
  if (place.ino === undefined) return create(guest, request, place);
  if (exclusive) throw fsError(ERRNO.EEXIST);
  const { type } = guest.fs.getattr(place.ino);
  if (type === "symlink") throw fsError(ERRNO.ELOOP);
  if (type === "dir") return openDir(guest, request, place.ino);
  if (place.mustBeDir || (request.oflags & OFLAG.directory) !== 0) throw fsError(ERRNO.ENOTDIR);
  return openFile(guest, request, place.ino);
}

function checkRequest({ base, oflags, rights, inheriting, fdflags }: Request): void {
  if ((fdflags & ~FDFLAG_ALL) !== 0 || (oflags & ~OFLAG_ALL) !== 0) throw wasiError(WASI.EINVAL);
  if (((rights | inheriting) & ~base.inheriting) !== 0) throw wasiError(WASI.ENOTCAPABLE);
  if ((oflags & OFLAG.create) !== 0 && (base.rights & RIGHT.pathCreateFile) === 0) throw wasiError(WASI.ENOTCAPABLE);
  if ((oflags & OFLAG.truncate) !== 0 && (base.rights & RIGHT.pathFilestatSetSize) === 0) {
    throw wasiError(WASI.ENOTCAPABLE);
  }
}

function create(guest: Guest, request: Request, place: Place): number {
  if ((request.oflags & OFLAG.create) === 0) throw fsError(ERRNO.ENOENT);
  if ((request.oflags & OFLAG.directory) !== 0) throw fsError(ERRNO.EINVAL);
  if (place.mustBeDir) throw fsError(ERRNO.EISDIR);
  const { ino, handle } = guest.fs.create(place.dir, place.name, NEW_FILE_MODE, accessOf(request.rights));
  return addFile(guest, request, ino, handle);
}

function openFile(guest: Guest, request: Request, ino: Ino): number {
  const handle = guest.fs.open(ino, accessOf(request.rights) | truncateOf(request.oflags));
  return addFile(guest, request, ino, handle);
}

function accessOf(rights: number): number {
  return (rights & WRITE_RIGHTS) === 0 ? OPEN.read : OPEN.read | OPEN.write;
}

/** Truncating needs a writable handle, whatever the descriptor may do later. */
function truncateOf(oflags: number): number {
  return (oflags & OFLAG.truncate) === 0 ? 0 : OPEN.truncate | OPEN.write;
}

function addFile(guest: Guest, request: Request, ino: Ino, handle: Handle): number {
  const object = { kind: "file", ino, handle, position: 0, flags: request.fdflags, refs: 1 } as const;
  return guest.fds.add(describe(request, object, FILE_RIGHTS, 0));
}

function openDir(guest: Guest, request: Request, ino: Ino): number {
  if ((request.oflags & (OFLAG.create | OFLAG.truncate)) !== 0 && (request.oflags & OFLAG.directory) === 0) {
    throw fsError(ERRNO.EISDIR);
  }
  if ((request.rights & RIGHT.fdWrite) !== 0) throw fsError(ERRNO.EISDIR);
  const object = { kind: "dir", ino, handle: guest.fs.opendir(ino), flags: request.fdflags, refs: 1 } as const;
  return guest.fds.add(describe(request, object, DIR_RIGHTS, DIR_RIGHTS | FILE_RIGHTS));
}

/** Rights that make no sense for the kind of file are left out. */
function describe(request: Request, object: Descriptor["object"], base: number, inheriting: number): Descriptor {
  return {
    object,
    rights: request.rights & base,
    inheriting: request.inheriting & inheriting,
    preopen: undefined,
    reach: request.base.reach,
  };
}
