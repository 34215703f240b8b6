// The kernel's DirFs: every path is resolved beneath the directory's descriptor, no link is ever followed.
import {
  ERRNO,
  fsError,
  type ByteString,
  type DirEntry,
  type DirFs,
  type DirFsFeatures,
  type FileHandle,
  type FileStat,
  type FileType,
  type OpenOptions,
  type Timespec,
} from "@lapstrake/base";
import * as flag from "../sys/flags.ts";
import type { SyscallName } from "../sys/numbers.ts";
import type { SyscallArg, SyscallPort } from "../sys/port.ts";
import { openBeneath } from "./beneath.ts";
import { KernelFile } from "./file.ts";
import { forgetParents, Parents, type Place } from "./parents.ts";
import { readEntries, statAt } from "./stat.ts";
import { getXattr, listXattrs, removeXattr, setXattr } from "./xattrs.ts";

const FEATURES: DirFsFeatures = {
  beneath: true,
  mknod: true,
  xattrs: true,
  chown: true,
  nanoseconds: true,
  rawNames: true,
  durable: true,
};

function openFlags(options: OpenOptions): number {
  const writes = options.write === true || options.append === true;
  const access = writes ? (options.read === true ? flag.O_RDWR : flag.O_WRONLY) : flag.O_RDONLY;
  return (
    access |
    flag.O_NOFOLLOW |
    // A fifo or a device in an image must not block or act on being opened.
    flag.O_NONBLOCK |
    flag.O_NOCTTY |
    (options.append === true ? flag.O_APPEND : 0) |
    (options.create === true ? flag.O_CREAT : 0) |
    (options.exclusive === true ? flag.O_EXCL : 0) |
    (options.truncate === true ? flag.O_TRUNC : 0)
  );
}

// makedev(3) as the kernel's syscalls take it: the low 32 bits of dev_t.
function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

function putTime(view: DataView, at: number, time: Timespec): void {
  view.setBigInt64(at, BigInt(time.sec), true);
  view.setBigInt64(at + 8, BigInt(time.nsec), true);
}

/** How a directory is used. */
export interface DirFsOptions {
  /** Other processes rename and replace directories beneath meanwhile: every call resolves its whole path anew. */
  readonly live?: boolean;
  /**
   * Only regular files are ever opened, even when something else takes a file's place at that moment: opening a device that a
   * container made (a watchdog, a tape) acts on the machine. Others fail with ENXIO.
   */
  readonly regularOnly?: boolean;
}

/** {@link DirFs} on an open directory descriptor, which it owns. */
export class KernelDirFs implements DirFs {
  readonly features: DirFsFeatures = FEATURES;
  readonly #sys: SyscallPort;
  readonly #parents: Parents;
  readonly #options: DirFsOptions;
  readonly #times = new Uint8Array(32);
  #fd: number;

  constructor(sys: SyscallPort, fd: number, options: DirFsOptions = {}) {
    this.#sys = sys;
    this.#fd = fd;
    this.#options = options;
    this.#parents = new Parents(sys, fd, options.live === true);
  }

  get fd(): number {
    return this.#fd;
  }

  #locate(path: ByteString): Place {
    return this.#parents.locate(path);
  }

  #do(name: SyscallName, ...args: readonly SyscallArg[]): number {
    const ret = this.#sys.call(name, ...args);
    if (ret < 0) throw fsError(-ret);
    return ret;
  }

  openDir(path: ByteString): DirFs {
    const flags = flag.O_RDONLY | flag.O_DIRECTORY | flag.O_NOFOLLOW;
    return new KernelDirFs(this.#sys, openBeneath(this.#sys, this.#fd, path, flags), this.#options);
  }

  stat(path: ByteString): FileStat | undefined {
    let place: Place;
    try {
      place = this.#locate(path);
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return undefined;
      throw error;
    }
    return statAt(this.#sys, place);
  }

  readdir(path: ByteString): DirEntry[] {
    const flags = flag.O_RDONLY | flag.O_DIRECTORY | flag.O_NOFOLLOW;
    const fd = openBeneath(this.#sys, this.#fd, path, flags);
    try {
      return readEntries(this.#sys, fd);
    } finally {
      this.#sys.call("close", fd);
    }
  }

  mkdir(path: ByteString, mode = 0o755): void {
    const { fd, name } = this.#locate(path);
    this.#do("mkdirat", fd, name, mode);
  }

  open(path: ByteString, options: OpenOptions): FileHandle {
    const { fd, name } = this.#locate(path);
    const mode = options.create === true ? (options.mode ?? 0o644) : 0;
    const isGuarded = this.#options.regularOnly === true && options.create !== true;
    if (isGuarded) return new KernelFile(this.#sys, this.#openRegular(fd, name, openFlags(options)));
    return new KernelFile(this.#sys, openBeneath(this.#sys, fd, name, openFlags(options), mode));
  }

  /** A descriptor without effects says what the file is; what is opened then is that file. */
  #openRegular(dir: number, name: ByteString, flags: number): number {
    const found = openBeneath(this.#sys, dir, name, flag.O_PATH | flag.O_NOFOLLOW);
    try {
      const { type } = statAt(this.#sys, { fd: found, name: "" }, flag.AT_EMPTY_PATH)!;
      if (type === "symlink") throw fsError(ERRNO.ELOOP);
      if (type !== "file") throw fsError(type === "dir" ? ERRNO.EISDIR : ERRNO.ENXIO);
      const path = `/proc/self/fd/${found}`;
      return this.#do("openat", flag.AT_FDCWD, path, (flags & ~flag.O_NOFOLLOW) | flag.O_CLOEXEC, 0);
    } finally {
      this.#sys.call("close", found);
    }
  }

  readlink(path: ByteString): ByteString {
    const { fd, name } = this.#locate(path);
    const buffer = new Uint8Array(4096);
    const length = this.#do("readlinkat", fd, name, buffer, buffer.length);
    return Buffer.from(buffer.buffer, 0, length).toString("latin1");
  }

  symlink(target: ByteString, path: ByteString): void {
    const { fd, name } = this.#locate(path);
    this.#do("symlinkat", target, fd, name);
  }

  link(existing: ByteString, path: ByteString): void {
    const from = this.#locate(existing);
    const to = this.#locate(path);
    this.#do("linkat", from.fd, from.name, to.fd, to.name, 0);
  }

  mknod(path: ByteString, type: FileType, mode: number, major: number, minor: number): void {
    const { fd, name } = this.#locate(path);
    this.#do("mknodat", fd, name, flag.FILE_TYPE_BITS[type] | mode, deviceNumber(major, minor));
  }

  unlink(path: ByteString): void {
    const { fd, name } = this.#locate(path);
    this.#do("unlinkat", fd, name, 0);
  }

  rmdir(path: ByteString): void {
    const { fd, name } = this.#locate(path);
    this.#do("unlinkat", fd, name, flag.AT_REMOVEDIR);
    forgetParents();
  }

  rename(from: ByteString, to: ByteString, options?: { readonly toDir?: DirFs; readonly noReplace?: boolean }): void {
    const other = options?.toDir ?? this;
    if (!(other instanceof KernelDirFs)) throw fsError(18 /* EXDEV */);
    const source = this.#locate(from);
    const target = other.#locate(to);
    const flags = options?.noReplace === true ? flag.RENAME_NOREPLACE : 0;
    this.#do("renameat2", source.fd, source.name, target.fd, target.name, flags);
    forgetParents();
  }

  chmod(path: ByteString, mode: number): void {
    const place = this.#locate(path);
    const ret = this.#sys.call("fchmodat2", place.fd, place.name, mode, flag.AT_SYMLINK_NOFOLLOW);
    if (ret === -ERRNO.ENOSYS) this.#chmodByDescriptor(place, mode);
    else if (ret < 0) throw fsError(-ret);
  }

  // Kernels before 6.6: fchmodat(2) follows links, so the link is excluded by opening it first.
  #chmodByDescriptor(place: Place, mode: number): void {
    const fd = openBeneath(this.#sys, place.fd, place.name, flag.O_PATH | flag.O_NOFOLLOW);
    try {
      if (statAt(this.#sys, { fd, name: "" }, flag.AT_EMPTY_PATH)!.type === "symlink") throw fsError(ERRNO.EOPNOTSUPP);
      this.#do("fchmodat", flag.AT_FDCWD, `/proc/self/fd/${fd}`, mode);
    } finally {
      this.#sys.call("close", fd);
    }
  }

  chown(path: ByteString, uid: number, gid: number): void {
    const { fd, name } = this.#locate(path);
    this.#do("fchownat", fd, name, uid, gid, flag.AT_SYMLINK_NOFOLLOW);
  }

  utimes(path: ByteString, atime: Timespec, mtime: Timespec): void {
    const { fd, name } = this.#locate(path);
    const view = new DataView(this.#times.buffer);
    putTime(view, 0, atime);
    putTime(view, 16, mtime);
    this.#do("utimensat", fd, name, this.#times, flag.AT_SYMLINK_NOFOLLOW);
  }

  listXattrs(path: ByteString): ByteString[] {
    return listXattrs(this.#sys, this.#locate(path));
  }

  getXattr(path: ByteString, name: ByteString): Uint8Array | undefined {
    return getXattr(this.#sys, this.#locate(path), name);
  }

  setXattr(path: ByteString, name: ByteString, value: Uint8Array): void {
    setXattr(this.#sys, this.#locate(path), name, value);
  }

  removeXattr(path: ByteString, name: ByteString): void {
    removeXattr(this.#sys, this.#locate(path), name);
  }

  fsync(): void {
    this.#do("fsync", this.#fd);
  }

  syncfs(): void {
    this.#do("syncfs", this.#fd);
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#parents.clear();
    this.#sys.call("close", this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
