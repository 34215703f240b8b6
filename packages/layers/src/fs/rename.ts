// rename: renameat2(2) with NOREPLACE and EXCHANGE, and overlayfs's EXDEV in `overlay2` mode.
import { ERRNO, fsError, type ByteString } from "@lapstrake/base";
import type { Inode } from "./inode.ts";
import { RENAME } from "./inode-fs.ts";
import { checkName, type FsState } from "./state.ts";

interface Side {
  readonly dir: Inode;
  readonly name: ByteString;
}

export function rename(state: FsState, from: Side, to: Side, flags: number): void {
  state.checkWritable();
  if (flags === (RENAME.noReplace | RENAME.exchange) || (flags & ~3) !== 0) throw fsError(ERRNO.EINVAL);
  checkName(to.name);
  const source = state.mustChild(from.dir, from.name);
  const target = state.child(to.dir, to.name);
  if (to.dir.gone) throw fsError(ERRNO.ENOENT);
  if (flags === RENAME.exchange) {
    exchange(state, from, to, source, target);
    return;
  }
  if (flags === RENAME.noReplace && target !== undefined) throw fsError(ERRNO.EEXIST);
  refuseLoop(source, to.dir, ERRNO.EINVAL);
  if (target !== undefined) refuseLoop(target, from.dir, ERRNO.ENOTEMPTY);
  if (target === source) return;
  checkKinds(source, target);
  checkMovable(state, source);
  if (target?.type === "dir" && !state.isEmpty(target)) throw fsError(ERRNO.ENOTEMPTY);
  state.detach(from.dir, from.name, source);
  if (target !== undefined) {
    state.detach(to.dir, to.name, target);
    state.dropName(target);
  }
  place(state, to, source);
  state.emit("rename", to.dir, to.name, source);
}

function place(state: FsState, { dir, name }: Side, inode: Inode): void {
  state.attach(dir, name, inode);
  state.stamp(inode);
  if (state.base.links.size > 0 || inode.nlink > 1) listAllNames(state, inode);
}

/** A layer can only keep hard links together when it lists all their names: moving one means listing the others. */
function listAllNames(state: FsState, inode: Inode): void {
  if (inode.type === "dir") for (const [, child] of state.entries(inode)) listAllNames(state, child);
  else if (inode.nlink > 1) inode.named = inode.dirty = true;
}

function exchange(state: FsState, from: Side, to: Side, source: Inode, target: Inode | undefined): void {
  if (target === undefined) throw fsError(ERRNO.ENOENT);
  refuseLoop(source, to.dir, ERRNO.EINVAL);
  refuseLoop(target, from.dir, ERRNO.EINVAL);
  if (source === target) return;
  checkMovable(state, source);
  checkMovable(state, target);
  state.detach(from.dir, from.name, source);
  state.detach(to.dir, to.name, target);
  place(state, to, source);
  place(state, from, target);
  state.emit("rename", to.dir, to.name, source);
  state.emit("rename", from.dir, from.name, target);
}

/** A directory cannot move into itself. */
function refuseLoop(moved: Inode, into: Inode, errno: number): void {
  if (moved.type !== "dir") return;
  for (let dir = into; ; dir = dir.parent!) {
    if (dir === moved) throw fsError(errno);
    if (dir.parent === dir || dir.parent === undefined) return;
  }
}

function checkKinds(source: Inode, target: Inode | undefined): void {
  if (target === undefined) return;
  if (source.type === "dir" && target.type !== "dir") throw fsError(ERRNO.ENOTDIR);
  if (source.type !== "dir" && target.type === "dir") throw fsError(ERRNO.EISDIR);
}

/** Without redirect_dir, kernel overlayfs does not move directories that have a lower part: overlayfs.rst "renaming directories". */
function checkMovable(state: FsState, inode: Inode): void {
  if (state.mode === "overlay2" && inode.type === "dir" && !inode.own) throw fsError(ERRNO.EXDEV);
}
