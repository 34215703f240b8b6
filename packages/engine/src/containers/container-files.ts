// The files of a container as one DirFs, volumes included, for one call. Of a running one: the root its first process sees, every
// path resolved beneath that descriptor (openat2), whatever the container does meanwhile. Of one that does not run: its own overlay,
// mounted nowhere, and its volumes beside it. Of a Wasm container: its layers and changes in memory, handed over again
// afterwards, or to its guest.
import { LapError, type ByteString, type DirFs } from "@lapstrake/base";
import { openDirFs, openOverlayDirFs, readStatus, startTime } from "@lapstrake/core";
import type { Engine } from "../engine.ts";
import { hasManyIds, isRootless } from "../sandbox/rootless.ts";
import { prepareRootfs } from "../sandbox/rootfs.ts";
import { readRecord, type ContainerRecord } from "../state/record.ts";
import { resolveLinks, type Looked } from "../volumes/resolve-links.ts";
import { MountedDirs, type DirMount } from "./copy-mounted.ts";
import { lockedIn } from "./lock.ts";
import { openMounts } from "./open-mounts.ts";

/** Opens them, acts, closes them. Throws `ERR_LAP_FILES_WASM`, `ERR_LAP_FILES_BUSY`, `ERR_LAP_FILES_ROOTLESS`, `ERR_LAP_OVERLAY_OLD`. */
export async function withContainerFiles<T>(
  engine: Engine,
  known: ContainerRecord,
  use: (files: DirFs) => T | Promise<T>,
): Promise<T> {
  if (runs(engine, known)) return await withLiveRoot(engine, known, use);
  // Nobody may start it meanwhile: one upper is mounted once.
  using _lock = await lockedIn(engine.dir(known), known);
  // Somebody may have started or forked it before that.
  const record = readRecord(engine.dir(known)) ?? known;
  if (runs(engine, record)) return await withLiveRoot(engine, record, use);
  if (record.kind === "wasm") {
    const { withWasmFiles } = await import("../sandbox/wasm-files.ts");
    return await withWasmFiles(engine, record, (root) => withMounts(engine, record, root, use));
  }
  return await withMounts(engine, record, stoppedRoot(engine, record), use);
}

function runs(engine: Engine, record: ContainerRecord): boolean {
  const { state } = engine.status(record);
  return state === "running" || state === "paused";
}

async function withLiveRoot<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (files: DirFs) => T | Promise<T>,
): Promise<T> {
  if (record.kind === "wasm") {
    const { withLiveWasmFiles } = await import("../sandbox/wasm-live.ts");
    return await withLiveWasmFiles(engine, record, (root) => withMounts(engine, record, root, use));
  }
  using files = liveRoot(engine, record);
  return await use(files);
}

function liveRoot(engine: Engine, record: ContainerRecord): DirFs {
  const status = readStatus(engine.dir(record));
  const dir =
    status === undefined ? undefined : openDirFs(`/proc/${status.pid}/root`, { live: true, regularOnly: true });
  // Only when it is open is it certain whose root it is.
  if (dir !== undefined && startTime(status!.pid) === status!.pidStartTime) return dir;
  dir?.close();
  throw new LapError("conflict", "ERR_LAP_NOT_RUNNING", `Container ${record.id} is not running`);
}

function stoppedRoot(engine: Engine, record: ContainerRecord): DirFs {
  if (isRootless() && !hasManyIds() && record.storage !== "vfs") {
    throw new LapError(
      "failedPrecondition",
      "ERR_LAP_FILES_ROOTLESS",
      "without root only a running container shows its files",
      {
        hint: "start it first",
      },
    );
  }
  const { rootfs } = prepareRootfs(engine.context.paths, record);
  return rootfs.kind === "overlay" ? openOverlayDirFs(rootfs) : openDirFs(rootfs.path);
}

async function withMounts<T>(
  engine: Engine,
  record: ContainerRecord,
  root: DirFs,
  use: (files: DirFs) => T | Promise<T>,
): Promise<T> {
  const mounts = record.mounts === undefined ? [] : openMounts(engine.context.paths, record.mounts);
  const places = mounts.map((mount): DirMount => ({ ...mount, at: mountPoint(root, mount) }));
  using files = new MountedDirs(root, places);
  return await use(files);
}

/** Where a mount is in the root, made as a start would make it. */
function mountPoint(root: DirFs, { at, name }: DirMount): ByteString {
  const { path } = resolveLinks((each) => lookAt(root, each), at, { follow: true, missing: true });
  const parts = path.split("/");
  for (let depth = 1; depth <= parts.length; depth++) {
    const place = parts.slice(0, depth).join("/");
    if (root.stat(place) !== undefined) continue;
    const isFile = depth === parts.length && name !== "";
    if (!isFile) root.mkdir(place, 0o755);
    else root.open(place, { write: true, create: true, exclusive: true, mode: 0o644 }).close();
  }
  return path;
}

/** What a path of a container is, for {@link resolveLinks}. */
export function lookAt(files: DirFs, path: ByteString): Looked | undefined {
  const stat = files.stat(path);
  if (stat === undefined) return undefined;
  return { type: stat.type, target: stat.type === "symlink" ? files.readlink(path) : "" };
}
