// Path names as the shell uses them: relative to its working directory, resolved over the inode filesystem.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import { OPEN, resolvePath, type Attr, type Ino, type InodeFs, type Resolved } from "@lapstrake/layers";
import type { OpenFile } from "../p1/descriptors.ts";
import { fileObject } from "../processes/objects.ts";

/** Where `path` leads, or the negative errno. */
export function resolveFrom(fs: InodeFs, cwd: ByteString, path: ByteString, followLast = true): Resolved | number {
  if (path === "") return -ERRNO.ENOENT;
  return resolvePath(fs, fs.root, absolute(cwd, path), { followLast });
}

/** `path` as an absolute one, its dots left in place. */
export function absolute(cwd: ByteString, path: ByteString): ByteString {
  return path.startsWith("/") ? path : `${cwd === "/" ? "" : cwd}/${path}`;
}

/** Attributes of what `path` names, undefined when there is nothing. */
export function attributes(fs: InodeFs, cwd: ByteString, path: ByteString, followLast = true): Attr | undefined {
  const found = resolveFrom(fs, cwd, path, followLast);
  return typeof found === "number" || found.ino <= 0 ? undefined : fs.getattr(found.ino);
}

/** The inode of `path`; throws ENOENT and what else resolving says. */
export function mustResolve(fs: InodeFs, cwd: ByteString, path: ByteString): Ino {
  const found = resolveFrom(fs, cwd, path);
  if (typeof found === "number") throw fsError(-found);
  if (found.ino <= 0) throw fsError(ERRNO.ENOENT);
  return found.ino;
}

/** Opens `path` for a redirection; made when missing and `create`. The device files every script knows need no node. */
export function openPath(fs: InodeFs, cwd: ByteString, path: ByteString, flags: number, create: boolean): OpenFile {
  const found = resolveFrom(fs, cwd, path);
  if (typeof found === "number") throw fsError(-found);
  if (found.ino > 0) return fileObject(fs, found.ino, flags);
  if (!create) throw fsError(ERRNO.ENOENT);
  if (found.mustBeDir) throw fsError(ERRNO.EISDIR);
  const { ino, handle } = fs.create(found.dir, found.name, 0o644, flags & ~(OPEN.append | OPEN.truncate));
  fs.close(handle);
  return fileObject(fs, ino, flags);
}

/** All bytes of a regular file. */
export function readWhole(fs: InodeFs, ino: Ino): Uint8Array {
  const handle = fs.open(ino, OPEN.read);
  try {
    const bytes = new Uint8Array(fs.getattr(ino).size);
    let at = 0;
    for (let got = -1; got !== 0 && at < bytes.length; at += got)
      got = fs.read(handle, bytes, at, bytes.length - at, at);
    return bytes.subarray(0, at);
  } finally {
    fs.close(handle);
  }
}

/** An absolute path without ".", ".." and double slashes, as text (`cd -L`). */
export function normalize(path: ByteString): ByteString {
  const out: ByteString[] = [];
  for (const part of path.split("/")) {
    if (part === "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return `/${out.join("/")}`;
}
