// Copies of trees for the storage driver `vfs`: an image's layers flattened into one directory, once, and a copy of that for each container.
// copy-tree.ts does the copying; what overlayfs would do with the marks of a layer is done here.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ByteString, DirFs, FileStat } from "@lapstrake/base";
import { removeTree } from "@lapstrake/layers";
import { randomHex } from "../state/random.ts";
import type { StorePaths } from "../state/layout.ts";
import { copyTree } from "./copy-tree.ts";
import { withDirs } from "./rootfs.ts";

const OPAQUE = ["trusted.overlay.opaque", "user.overlay.opaque"];
const WHITEOUT = ["trusted.overlay.whiteout", "user.overlay.whiteout"];

/** The directory with all of an image's layers in one, made when it is missing; `lowers` are top first, the topmost one names it. */
export function flatDir(paths: StorePaths, topmost: string | undefined, lowers: readonly string[]): string {
  const final = join(paths.layers, `flat-${topmost ?? "empty"}`);
  if (existsSync(final)) return final;
  const temporary = join(paths.trash, `flat-${randomHex(8)}`);
  mkdirSync(temporary, { mode: 0o755 });
  try {
    for (const lower of lowers.toReversed()) addLayer(temporary, lower);
    withDirs([temporary], ([flat]) => flat!.syncfs());
    renameSync(temporary, final);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Somebody else was quicker.
    if (!existsSync(final)) throw error;
  }
  return final;
}

function addLayer(flat: string, layer: string): void {
  withDirs([flat, layer], ([below, above]) => clearHidden(below!, above!, ""));
  copyTree(layer, flat);
  withDirs([flat, layer], ([below, above]) => dropMarks(below!, above!, ""));
}

/** What the layer hides, and what stands in its way as another type, goes. */
function clearHidden(flat: DirFs, layer: DirFs, path: ByteString): void {
  if (isOpaque(layer, path)) removeTree(flat, path);
  for (const { name } of layer.readdir(path)) {
    const at = joined(path, name);
    const above = layer.stat(at)!;
    const below = flat.stat(at);
    if (below === undefined) continue;
    if (above.type === "dir" && below.type === "dir") clearHidden(flat, layer, at);
    else if (below.type === "dir") removeWhole(flat, at);
    else if (above.type === "dir" || isWhiteout(layer, at, above)) flat.unlink(at);
  }
}

function removeWhole(flat: DirFs, path: ByteString): void {
  removeTree(flat, path);
  if (flat.stat(path) !== undefined) flat.rmdir(path);
}

/** The layer's own marks came along by the copy. */
function dropMarks(flat: DirFs, layer: DirFs, path: ByteString): void {
  const stat = layer.stat(path)!;
  for (const name of OPAQUE) if (flat.getXattr(path, name) !== undefined) flat.removeXattr(path, name);
  for (const { name } of layer.readdir(path)) {
    const at = joined(path, name);
    const above = layer.stat(at)!;
    if (above.type === "dir") dropMarks(flat, layer, at);
    else if (isWhiteout(layer, at, above)) flat.unlink(at);
  }
  flat.utimes(path, stat.atime, stat.mtime);
}

/** A 0:0 device, or, where the store lies on an overlay, an empty file that says so. */
function isWhiteout(layer: DirFs, path: ByteString, stat: FileStat): boolean {
  if (stat.type === "char") return stat.rdevMajor === 0 && stat.rdevMinor === 0;
  return stat.type === "file" && stat.size === 0 && WHITEOUT.some((name) => layer.getXattr(path, name) !== undefined);
}

function isOpaque(layer: DirFs, path: ByteString): boolean {
  return OPAQUE.some((name) => layer.getXattr(path, name)?.[0] === 0x79);
}

function joined(path: ByteString, name: ByteString): ByteString {
  return path === "" ? name : `${path}/${name}`;
}
