// setattr and extended attributes: chmod(2), chown(2), truncate(2), utimensat(2), setxattr(2), as root sees them.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import type { AttrChange } from "./inode-fs.ts";
import type { Inode } from "./inode.ts";
import type { FsState } from "./state.ts";

const CAPABILITY = "security.capability";
const MAX_XATTR_BYTES = 65_536;
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

export function setattr(state: FsState, inode: Inode, change: AttrChange): void {
  state.checkWritable();
  if (change.size !== undefined) truncate(state, inode, change.size);
  state.stamp(inode);
  if (change.uid !== undefined || change.gid !== undefined) chown(inode, change);
  if (change.mode !== undefined) inode.mode = change.mode & 0o7777;
  setTimes(inode, change);
  state.emit("attrib", inode.parent, "", inode);
}

function setTimes(inode: Inode, change: AttrChange): void {
  if (change.atimeSec !== undefined) {
    inode.atimeSec = change.atimeSec;
    inode.atimeNsec = change.atimeNsec ?? 0;
  }
  if (change.mtimeSec !== undefined) {
    inode.mtimeSec = change.mtimeSec;
    inode.mtimeNsec = change.mtimeNsec ?? 0;
  }
}

/** A new owner loses setuid, executable setgid and file capabilities, also under root: notify_change() of the kernel. */
function chown(inode: Inode, change: AttrChange): void {
  if (change.uid !== undefined) inode.uid = change.uid;
  if (change.gid !== undefined) inode.gid = change.gid;
  if (inode.type === "dir") return;
  inode.mode &= ~0o4000;
  if ((inode.mode & 0o010) !== 0) inode.mode &= ~0o2000;
  dropCapability(inode);
}

/** Writing to a file, or giving it away, takes its file capabilities. */
export function dropCapability(inode: Inode): void {
  if (inode.xattrs?.has(CAPABILITY) !== true) return;
  const rest = new Map(inode.xattrs);
  rest.delete(CAPABILITY);
  inode.xattrs = rest;
}

/** Changes the size: EISDIR, EINVAL, EFBIG. */
export function truncate(state: FsState, inode: Inode, size: number): void {
  state.checkWritable();
  if (inode.type === "dir") throw fsError(ERRNO.EISDIR);
  if (inode.type !== "file" || size < 0 || !Number.isSafeInteger(size)) throw fsError(ERRNO.EINVAL);
  state.data(inode).truncate(size);
  dropCapability(inode);
  state.touch(inode);
}

export function setXattr(state: FsState, inode: Inode, name: ByteString, value: Uint8Array, flags: number): void {
  state.checkWritable();
  checkXattr(inode, name);
  if (value.length > MAX_XATTR_BYTES) throw fsError(ERRNO.E2BIG);
  const present = inode.xattrs?.has(name) === true;
  if ((flags & XATTR_CREATE) !== 0 && present) throw fsError(ERRNO.EEXIST);
  if ((flags & XATTR_REPLACE) !== 0 && !present) throw fsError(ERRNO.ENODATA);
  state.stamp(inode);
  inode.xattrs = new Map(inode.xattrs).set(name, new Uint8Array(value));
  state.emit("attrib", inode.parent, "", inode);
}

export function removeXattr(state: FsState, inode: Inode, name: ByteString): void {
  state.checkWritable();
  checkXattr(inode, name);
  if (inode.xattrs?.has(name) !== true) throw fsError(ERRNO.ENODATA);
  state.stamp(inode);
  const rest = new Map(inode.xattrs);
  rest.delete(name);
  inode.xattrs = rest;
  state.emit("attrib", inode.parent, "", inode);
}

/** xattr(7): four namespaces; user.* only on files and directories. */
function checkXattr(inode: Inode, name: ByteString): void {
  if (name.length > 255 || name === "") throw fsError(ERRNO.ERANGE);
  const dot = name.indexOf(".");
  const space = dot < 0 ? "" : name.slice(0, dot);
  if (!["user", "trusted", "security", "system"].includes(space)) throw fsError(ERRNO.EOPNOTSUPP);
  if (dot === name.length - 1) throw fsError(ERRNO.EINVAL);
  if (space === "user" && inode.type !== "file" && inode.type !== "dir") throw fsError(ERRNO.EPERM);
}
