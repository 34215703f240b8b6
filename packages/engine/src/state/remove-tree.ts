// Removing a tree that a container wrote: names may be any bytes and nested deeper than any path can name (PATH_MAX), so nothing
// is removed by path: each directory that is not empty is first moved up into `dir`, by descriptors, and emptied there.
import { errorCode, type ByteString, type DirFs } from "@lapstrake/base";
import { randomHex } from "./random.ts";

const OWNER_ALL = 0o700;

/** Somebody writes into it without end. */
const TRIES = 64;

/**
 * Removes `name` from `dir` with all beneath; a name that is gone already is no error, nor is one that goes, or comes, meanwhile (a
 * supervisor takes its socket away after it has told of the end). Restartable after a crash. */
export function removeFlat(dir: DirFs, name: ByteString): void {
  const todo = [name];
  let again = 0;
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    try {
      empty(dir, next, todo);
    } catch (error) {
      const code = errorCode(error);
      if ((code !== "ENOENT" && code !== "ENOTEMPTY") || ++again > TRIES) throw error;
      todo.push(next);
    }
  }
}

/** Empties and removes one directory (or removes a file); adds to `todo` what was moved up into `dir`. */
function empty(dir: DirFs, name: ByteString, todo: ByteString[]): void {
  const stat = dir.stat(name);
  if (stat === undefined) return;
  if (stat.type !== "dir") {
    dir.unlink(name);
    return;
  }
  openForOwner(dir, name);
  {
    using inner = dir.openDir(name);
    for (const entry of inner.readdir("")) {
      const type = entry.type ?? inner.stat(entry.name)?.type;
      if (type !== "dir") inner.unlink(entry.name);
      else if (!removedEmpty(inner, entry.name)) todo.push(moveUp(inner, entry.name, dir));
    }
  }
  dir.rmdir(name);
}

function removedEmpty(dir: DirFs, name: ByteString): boolean {
  try {
    dir.rmdir(name);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOTEMPTY" || errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

function moveUp(from: DirFs, name: ByteString, to: DirFs): ByteString {
  const fresh = `deep-${randomHex(8)}`;
  // Moving a directory to another parent writes into it: its owner must be allowed to.
  openForOwner(from, name);
  from.rename(name, fresh, { toDir: to });
  return fresh;
}

/** A directory may be shut even for its owner, as overlayfs' own work directory is; root does not notice. */
function openForOwner(dir: DirFs, name: ByteString): void {
  const stat = dir.stat(name);
  if (stat?.type === "dir" && (stat.mode & OWNER_ALL) !== OWNER_ALL) dir.chmod(name, OWNER_ALL);
}
