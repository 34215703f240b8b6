// Members of a tar -> files beneath a directory of a DirFs, as docker's cp extracts them: what is there is replaced, directories are
// merged, a directory and a file never replace each other. No link is followed by the kernel: parents are resolved by `parentOf`.
import {
  ERRNO,
  LapError,
  fromByteString,
  fsError,
  systemError,
  type ByteString,
  type DirFs,
  type FileHandle,
  type SystemError,
} from "@lapstrake/base";
import type { TarMember, TarSink } from "@lapstrake/layers";

/** How files are made. */
export interface UnpackOptions {
  /** Whose they become: the archive's ids, one pair of ids, or whoever makes them. */
  readonly owners: "archive" | "maker" | { readonly uid: number; readonly gid: number };
  /** Devices are made; otherwise they are an error. */
  readonly devices: boolean;
  /** Where links beneath the directory lead: path of a member's directory -> the path to use. Absent: no links. */
  readonly parentOf?: (path: ByteString) => ByteString;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: ByteString;
  readonly member: TarMember;
  end: number;
}

const HOLE_BYTES = 4096;
const ZEROS = Buffer.alloc(HOLE_BYTES);
const SET_IDS = 0o6000;
const XATTRS = /^(?:user\.(?!overlay\.)|security\.capability$)/;

export class Unpacker implements TarSink {
  /** Members taken. */
  count = 0;
  readonly #dir: DirFs;
  readonly #base: ByteString;
  readonly #options: UnpackOptions;
  #file: OpenFile | undefined;
  /** Times of directories, set when nothing changes in them any more. */
  readonly #dirs = new Map<ByteString, TarMember>();
  /** Where each directory of the archive was put. */
  readonly #parents = new Map<ByteString, ByteString>();

  /** Into the directory at `base` in `dir`. */
  constructor(dir: DirFs, base: ByteString, options: UnpackOptions) {
    this.#dir = dir;
    this.#base = base;
    this.#options = options;
  }

  member(member: TarMember): void {
    this.count++;
    try {
      this.#take(member);
    } catch (error) {
      throw withPath(error, member.path);
    }
  }

  #take(member: TarMember): void {
    const parts = cleanParts(member.path);
    const name = parts.pop();
    if (name === undefined) return;
    const path = join(this.#parent(parts), name);
    this.#makeRoom(path, member);
    this.#make(path, member);
  }

  data(bytes: Uint8Array, position: number): void {
    const file = this.#file;
    if (file === undefined) return;
    for (let at = 0; at < bytes.length;) {
      const isZero = isHole(bytes, at);
      const start = at;
      while (at < bytes.length && isHole(bytes, at) === isZero) at += HOLE_BYTES;
      const end = Math.min(at, bytes.length);
      if (isZero) continue;
      file.handle.write(bytes, start, end - start, position + start);
      file.end = position + end;
    }
  }

  end(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    if (file.end < file.member.size) file.handle.truncate(file.member.size);
    file.handle.close();
    this.#describe(file.path, file.member);
  }

  /** After the last member. */
  finish(): void {
    for (const [path, member] of [...this.#dirs].toReversed()) this.#describe(path, member);
  }

  /** Closes what a failure left open. */
  close(): void {
    this.#file?.handle.close();
    this.#file = undefined;
  }

  /** The directory of a member; made when the archive does not list it. */
  #parent(parts: readonly ByteString[]): ByteString {
    const key = parts.join("/");
    const known = this.#parents.get(key);
    if (known !== undefined) return known;
    const wanted = join(this.#base, key);
    const path = key === "" ? this.#base : (this.#options.parentOf?.(wanted) ?? wanted);
    if (key !== "" && this.#dir.stat(path) === undefined) {
      this.#parent(parts.slice(0, -1));
      this.#dir.mkdir(path, 0o755);
    }
    this.#parents.set(key, path);
    return path;
  }

  /** Removes what is in the way. */
  #makeRoom(path: ByteString, member: TarMember): void {
    const found = this.#dir.stat(path);
    if (found === undefined) return;
    const isDir = member.type === "dir";
    if (found.type === "dir" && !isDir) throw overwrite("directory", path, "non-directory", member.path);
    if (found.type !== "dir" && isDir) throw overwrite("non-directory", path, "directory", member.path);
    if (!isDir) this.#dir.unlink(path);
  }

  #make(path: ByteString, member: TarMember): void {
    const { type } = member;
    if (type === "dir") {
      if (this.#dir.stat(path) === undefined) this.#dir.mkdir(path, 0o700);
      this.#dirs.set(path, member);
      return;
    }
    if (type === "file") {
      const handle = this.#dir.open(path, { write: true, create: true, exclusive: true, mode: 0o600 });
      this.#file = { handle, path, member, end: 0 };
      return;
    }
    if (type === "hardlink") {
      this.#link(path, member);
      return;
    }
    if (type === "symlink") this.#dir.symlink(member.target, path);
    else this.#special(path, member);
    this.#describe(path, member);
  }

  #link(path: ByteString, member: TarMember): void {
    const parts = cleanParts(member.target);
    const name = parts.pop();
    if (name === undefined) throw fsError(ERRNO.EPERM);
    this.#dir.link(join(this.#parent(parts), name), path);
  }

  #special(path: ByteString, { type, mode, rdevMajor, rdevMinor, path: shown }: TarMember): void {
    const isDevice = type === "char" || type === "block";
    if (isDevice && !this.#options.devices) {
      throw new LapError(
        "unimplemented",
        "ERR_LAP_COPY",
        `"${fromByteString(shown)}" is a device, which is not made here`,
        {
          hint: "take an archive with: lap cp CONTAINER:PATH -",
        },
      );
    }
    if (type !== "hardlink") this.#dir.mknod(path, type, mode, rdevMajor, rdevMinor);
  }

  /** Owner, mode, attributes and times, in the order in which none undoes another. */
  #describe(path: ByteString, member: TarMember): void {
    const { owners } = this.#options;
    if (owners === "archive") this.#dir.chown(path, member.uid, member.gid);
    else if (owners !== "maker") this.#dir.chown(path, owners.uid, owners.gid);
    // Who becomes the owner of somebody else's program must not lend it his rights.
    const mode = owners === "maker" ? member.mode & ~SET_IDS : member.mode;
    if (member.type !== "symlink") this.#dir.chmod(path, mode);
    if (owners !== "maker") this.#setXattrs(path, member);
    const mtime = { sec: member.mtimeSec, nsec: member.mtimeNsec };
    this.#dir.utimes(path, mtime, mtime);
  }

  #setXattrs(path: ByteString, { xattrs }: TarMember): void {
    if (xattrs === undefined || !this.#dir.features.xattrs) return;
    for (const [name, value] of xattrs) if (XATTRS.test(name)) this.#dir.setXattr(path, name, value);
  }
}

/** A failure of the directory tells no path of its own. */
function withPath(error: unknown, path: ByteString): unknown {
  const { errno, syscall } = error as Partial<SystemError>;
  return errno === undefined || syscall !== undefined ? error : systemError(-errno, "copy", fromByteString(path));
}

function isHole(bytes: Uint8Array, at: number): boolean {
  const piece = bytes.subarray(at, at + HOLE_BYTES);
  return piece[0] === 0 && ZEROS.compare(piece, 0, piece.length, 0, piece.length) === 0;
}

function join(dir: ByteString, name: ByteString): ByteString {
  if (dir === "") return name;
  return name === "" ? dir : `${dir}/${name}`;
}

/** Components without "." and ".."; those that would lead out are an error, as in docker. */
function cleanParts(path: ByteString): ByteString[] {
  const parts: ByteString[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) {
      const shown = fromByteString(path);
      throw new LapError("invalidArgument", "ERR_LAP_COPY", `"${shown}" is outside of the destination`);
    }
  }
  return parts;
}

function overwrite(there: string, path: ByteString, what: string, member: ByteString): LapError {
  const text = `cannot overwrite ${there} "/${fromByteString(path)}" with ${what} "${fromByteString(member)}"`;
  return new LapError("invalidArgument", "ERR_LAP_COPY_OVERWRITE", text);
}
