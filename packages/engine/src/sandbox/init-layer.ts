// The layer between image and upper that gives every mount a place: /proc, /sys, /dev and the three managed files of /etc exist
// and are what they should be, whatever the image made of them (a link at /dev must not lead a mount outside: CVE-2026-41579).
// Because it is a lower layer, none of this shows in diff or commit.
import type { ByteString, DirFs, FileStat } from "@lapstrake/base";
import { MergedView, type MergedNode } from "./merged-view.ts";

const DIRECTORIES = ["dev", "proc", "sys", "etc"] as const;
const FILES = ["etc/hostname", "etc/hosts", "etc/resolv.conf"] as const;

/** Fills the empty directory `out`; `view` is the image beneath it. */
export function writeInitLayer(out: DirFs, view: MergedView): void {
  copyMetadata(out, "", view.root.stat);
  for (const path of DIRECTORIES) ensureDir(out, view, path);
  for (const path of FILES) ensureFile(out, view, path);
  for (const path of DIRECTORIES) restoreTimes(out, view, path);
  out.utimes("", view.root.stat.atime, view.root.stat.mtime);
}

/** Merged node at a plain path, no link followed; undefined when missing or when a parent is not a directory. */
function nodeAt(view: MergedView, path: ByteString): MergedNode | undefined {
  let node: MergedNode | undefined = view.root;
  for (const name of path.split("/")) node = node === undefined ? undefined : view.child(node, name);
  return node;
}

function ensureDir(out: DirFs, view: MergedView, path: ByteString): void {
  if (out.stat(path) !== undefined) return;
  const present = nodeAt(view, path);
  out.mkdir(path, 0o755);
  if (present?.stat.type === "dir") copyMetadata(out, path, present.stat);
}

function ensureFile(out: DirFs, view: MergedView, path: ByteString): void {
  const etcIsDir = nodeAt(view, "etc")?.stat.type === "dir";
  if (etcIsDir && nodeAt(view, path)?.stat.type === "file") return;
  out.open(path, { write: true, create: true, exclusive: true, mode: 0o644 }).close();
}

function copyMetadata(out: DirFs, path: ByteString, stat: FileStat): void {
  if (out.features.chown) out.chown(path, stat.uid, stat.gid);
  out.chmod(path, stat.mode);
}

function restoreTimes(out: DirFs, view: MergedView, path: ByteString): void {
  const stat = nodeAt(view, path)?.stat;
  if (stat?.type === "dir") out.utimes(path, stat.atime, stat.mtime);
}
