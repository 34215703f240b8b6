// path_open: openat(2) with rights instead of an access mode.
import type { ByteString } from "@lapstrake/base";
import { openAt, type Opened } from "../files/at.ts";
import { DIR_RIGHTS, FDFLAG_ALL, FILE_RIGHTS, LOOKUP_FOLLOW, OFLAG, RIGHT, WASI, WRITE_RIGHTS } from "./abi.ts";
import { baseOf, type Descriptor, type DirDescriptor } from "./descriptors.ts";
import { wasiError } from "./errno.ts";
import { low32 } from "./fd-meta.ts";
import type { Guest, HostFunctions } from "./guest.ts";

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
  const { base, path, follow, oflags, rights } = request;
  const opened = openAt(guest.fs, baseOf(base), path, {
    follow,
    create: (oflags & OFLAG.create) !== 0,
    exclusive: (oflags & OFLAG.exclusive) !== 0,
    directory: (oflags & OFLAG.directory) !== 0,
    truncate: (oflags & OFLAG.truncate) !== 0,
    write: (rights & WRITE_RIGHTS) !== 0,
  });
  return guest.fds.add(describe(request, opened));
}

function checkRequest({ base, oflags, rights, inheriting, fdflags }: Request): void {
  if ((fdflags & ~FDFLAG_ALL) !== 0 || (oflags & ~OFLAG_ALL) !== 0) throw wasiError(WASI.EINVAL);
  if (((rights | inheriting) & ~base.inheriting) !== 0) throw wasiError(WASI.ENOTCAPABLE);
  if ((oflags & OFLAG.create) !== 0 && (base.rights & RIGHT.pathCreateFile) === 0) throw wasiError(WASI.ENOTCAPABLE);
  if ((oflags & OFLAG.truncate) !== 0 && (base.rights & RIGHT.pathFilestatSetSize) === 0) {
    throw wasiError(WASI.ENOTCAPABLE);
  }
}

/** Rights that make no sense for the kind of file are left out. */
function describe({ rights, inheriting, fdflags, base }: Request, { kind, ino, handle }: Opened): Descriptor {
  const isDir = kind === "dir";
  const shared = { ino, handle, flags: fdflags, refs: 1 };
  return {
    object: isDir ? { kind: "dir", ...shared } : { kind: "file", position: 0, ...shared },
    rights: rights & (isDir ? DIR_RIGHTS : FILE_RIGHTS),
    inheriting: isDir ? inheriting & (DIR_RIGHTS | FILE_RIGHTS) : 0,
    preopen: undefined,
    reach: base.reach,
  };
}
