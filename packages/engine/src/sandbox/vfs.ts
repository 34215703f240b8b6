// The storage driver `vfs` (ADR 65): a container's root is `rootfs` in its directory, a copy of the image's flattened layers. What it changed
// is the difference of the two: a file whose inode has not changed since the copy (ctime) is the same without looking into it.
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LapError, errorCode, isLapError, type ByteString, type DirFs, type Timespec } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import {
  TreeNode,
  diffLayer,
  diffTrees,
  mergeLayers,
  readUpper,
  type Change,
  type LayerTree,
  type MergedTree,
} from "@lapstrake/layers";
import type { EngineContext } from "../context.ts";
import { storageBytes, storageError } from "../containers/storage-option.ts";
import { dirOf } from "../state/containers.ts";
import type { StorePaths } from "../state/layout.ts";
import { writeRecord, type ContainerRecord } from "../state/record.ts";
import { copyTree } from "./copy-tree.ts";
import { initLayer, lowerDirs, rootfsDir } from "./rootfs.ts";
import { rememberCopies } from "./storage-driver.ts";
import { flatDir } from "./vfs-tree.ts";

/** Written behind the copy: what changed later is the container's. */
const STAMP = "copied";

/** Throws `ERR_LAP_STORAGE_DRIVER`, `ERR_LAP_STORAGE_OPTION` for what a copy cannot be. */
export function checkCopied({ rootfs, request }: Pick<ContainerRecord, "rootfs" | "request">): void {
  if (rootfs.kind === "host") {
    throw new LapError("invalidArgument", "ERR_LAP_STORAGE_DRIVER", "the machine itself is not copied", {
      hint: "the image `host` needs the storage driver overlay2",
    });
  }
  if (storageBytes(request) === undefined) return;
  throw storageError("the storage driver vfs bounds nothing that is written", "use overlay2, or --tmpfs FOLDER:size=…");
}

/** Fills a new container's directory. */
export function copyImage(paths: StorePaths, record: ContainerRecord, dir: string): void {
  copyTree(imageDir(paths, record), join(dir, "rootfs"));
  writeFileSync(join(dir, STAMP), "");
}

/** The image's layers as one directory. */
function imageDir(paths: StorePaths, record: ContainerRecord): string {
  const { rootfs } = record;
  if (rootfs.kind !== "image") throw new Error("only images are flattened");
  const lowers = lowerDirs(paths, record);
  return flatDir(paths, rootfs.layers[0], [initLayer(paths, rootfs.layers, lowers), ...lowers]);
}

/** The list `docker diff` prints. */
export function copiedChanges(paths: StorePaths, record: ContainerRecord): Change[] {
  using trees = openTrees(paths, record);
  return diffTrees(trees.image, trees.own);
}

/** Hands the changes as a layer to `use`; file contents are read while it runs. */
export async function withCopiedUpper<T>(
  paths: StorePaths,
  record: ContainerRecord,
  use: (tree: LayerTree) => Promise<T>,
): Promise<T> {
  using trees = openTrees(paths, record);
  return await use(diffLayer(trees.image, trees.own));
}

interface Trees extends Disposable {
  readonly image: MergedTree;
  readonly own: MergedTree;
}

function openTrees(paths: StorePaths, record: ContainerRecord): Trees {
  const dirs: DirFs[] = [];
  const close = (): void => {
    for (const dir of dirs.splice(0)) dir.close();
  };
  try {
    dirs.push(openDirFs(imageDir(paths, record)));
    // A running container may change it meanwhile.
    dirs.push(openDirFs(rootfsDir(paths, record), { live: true, regularOnly: true }));
    const [image, own] = dirs.map((dir) => mergeLayers([readUpper(dir)])) as [MergedTree, MergedTree];
    const stamp = stampOf(dirOf(paths, record));
    if (stamp !== undefined) shareContents(image.root, own.root, "", dirs[1]!, stamp);
    return { image, own, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Undefined for a fork: what it was copied of had changed before. */
function stampOf(dir: string): Timespec | undefined {
  try {
    const { ctimeNs } = statSync(join(dir, STAMP), { bigint: true });
    return { sec: Number(ctimeNs / 1_000_000_000n), nsec: Number(ctimeNs % 1_000_000_000n) };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** What was not touched since gets the very content of the image, which the comparison takes for equal at sight. */
function shareContents(image: TreeNode, own: TreeNode, path: ByteString, dir: DirFs, stamp: Timespec): void {
  for (const [name, child] of own.children ?? []) {
    const below = image.children?.get(name);
    if (!(child instanceof TreeNode) || !(below instanceof TreeNode) || child.type !== below.type) continue;
    const at = path === "" ? name : `${path}/${name}`;
    if (child.type === "dir") shareContents(below, child, at, dir, stamp);
    else if (child.type === "file" && !isAfter(dir.stat(at)?.ctime, stamp)) child.content = below.content;
  }
}

function isAfter(time: Timespec | undefined, stamp: Timespec): boolean {
  if (time === undefined) return true;
  return time.sec > stamp.sec || (time.sec === stamp.sec && time.nsec > stamp.nsec);
}

/** Failures of a mount that say: not with this kernel, not on this filesystem, not for this user. */
const IMPOSSIBLE = new Set(["ENODEV", "EINVAL", "EPERM", "EOPNOTSUPP", "ENOSYS"]);

/**
 * After a failed start: when overlayfs is not possible here, the container, which has not run yet, becomes a copy, and so will all later ones of the
 * store. Undefined when the failure is of another kind, or overlay2 was asked for.
 */
export function fallBack(context: EngineContext, record: ContainerRecord, error: unknown): ContainerRecord | undefined {
  const { paths, storageDriver } = context;
  if (!isLapError(error) || error.code !== "ERR_LAP_LAUNCH" || storageDriver === "overlay2") return undefined;
  const { op, errno } = error.detail ?? {};
  const canCopy = record.rootfs.kind === "image" && record.storage === undefined && record.frozen === undefined;
  if (op !== "rootOverlay" || !IMPOSSIBLE.has(String(errno)) || !canCopy) return undefined;
  if (storageBytes(record.request) !== undefined) return undefined;
  const dir = dirOf(paths, record);
  rmSync(join(dir, "rootfs"), { recursive: true, force: true });
  copyImage(paths, record, dir);
  const copied: ContainerRecord = { ...record, storage: "vfs" };
  writeRecord(dir, copied);
  if (rememberCopies(paths)) {
    context.logger.warn(
      `overlayfs is not possible here (${error.message}): containers get a copy of their image (storage driver vfs)`,
    );
  }
  return copied;
}
