// RecordRootfs -> the overlay that core mounts: which directories, top first, and the mounts that complete it.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openDirFs, type Rootfs } from "@lapstrake/core";
import { LapError, type DirFs, type MountSpec } from "@lapstrake/base";
import { defaultRoot, requireStoreIds, type StorePaths } from "../state/layout.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { hostMasks, writeMaskLayer } from "./host-image.ts";
import { writeInitLayer } from "./init-layer.ts";
import { frozenDirs } from "../state/frozen.ts";
import { isRootless } from "./rootless.ts";
import { hasSizedUpper, keepBound, makeBound, writableDir } from "./sized-upper.ts";
import { storageBytes } from "../containers/storage-option.ts";
import { MergedView } from "./merged-view.ts";
import { randomHex } from "../state/random.ts";

/** A container's root filesystem, ready to mount. */
export interface PreparedRootfs {
  readonly rootfs: Rootfs;
  readonly mounts: readonly MountSpec[];
  /** Every layer directory, the upper first. */
  readonly layers: readonly string[];
}

/** Layer directories of a container without its upper, top first. */
export function lowerDirs(paths: StorePaths, record: ContainerRecord): string[] {
  const { rootfs } = record;
  if (rootfs.kind === "module") throw new Error("a bare module has no layer directories");
  const layers = rootfs.layers.map((name) => join(paths.layers, name));
  if (rootfs.kind === "image") return layers;
  return [...layers, join(dirOf(paths, record), "mask"), "/"];
}

/** The whole root of a container that is a copy. */
export function rootfsDir(paths: StorePaths, record: ContainerRecord): string {
  return join(dirOf(paths, record), "rootfs");
}

/** Every layer directory of a container as it is mounted, the upper first. */
export function layerDirs(paths: StorePaths, record: ContainerRecord): string[] {
  if (record.storage === "vfs") return [rootfsDir(paths, record)];
  const upper = join(writableDir(dirOf(paths, record), record), "upper");
  const lowers = lowerDirs(paths, record);
  const init = record.rootfs.kind === "image" ? initLayerDir(paths, record.rootfs.layers) : "";
  return [
    upper,
    ...frozenDirs(paths, record),
    // Made by the first start.
    ...(init !== "" && existsSync(init) ? [init] : []),
    ...lowers,
  ];
}

function initLayerDir(paths: StorePaths, layers: readonly string[]): string {
  return join(paths.layers, `init-${layers[0] ?? "empty"}`);
}

/** Prepares what is missing and names the overlay. */
export function prepareRootfs(paths: StorePaths, record: ContainerRecord): PreparedRootfs {
  requireStoreIds(paths.root);
  if (record.storage === "vfs") return copiedRootfs(rootfsDir(paths, record));
  const dir = dirOf(paths, record);
  const lowers = lowerDirs(paths, record);
  for (const lower of lowers) requireLayer(lower);
  const init = record.rootfs.kind === "image" ? [initLayer(paths, record.rootfs.layers, lowers)] : [];
  const onHost = record.rootfs.kind === "host";
  const frozen = frozenDirs(paths, record);
  const writable = writableDir(dir, record);
  mendUpper(writable, frozen[0] ?? lowers[0]!);
  if (hasSizedUpper(record)) keepBound(writable);
  return {
    rootfs: {
      kind: "overlay",
      lowerdirs: onHost ? [...frozen, ...lowers.slice(0, -1)] : [...frozen, ...init, ...lowers],
      ...(onHost ? { base: { lowerdirs: ["/"], at: join(dir, "host") } } : {}),
      upperdir: join(writable, "upper"),
      workdir: join(writable, "work"),
      volatile: isThrowAway(record),
      userxattr: isRootless(),
    },
    layers: layerDirs(paths, record),
    mounts: record.rootfs.kind === "host" ? record.rootfs.include.map(includeMount) : [],
  };
}

function copiedRootfs(path: string): PreparedRootfs {
  return { rootfs: { kind: "dir", path }, layers: [path], mounts: [] };
}

/** Nobody needs its files after a crash of the machine. */
function isThrowAway(record: ContainerRecord): boolean {
  return record.autoRemove || record.holder !== undefined;
}

/** What a fork or an earlier run may leave: no upper yet, and a mark of the last volatile mount, which the kernel would refuse. */
function mendUpper(dir: string, top: string): void {
  const work = join(dir, "work");
  if (existsSync(join(work, "work/incompat"))) {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { mode: 0o700 });
  }
  if (existsSync(join(dir, "upper"))) return;
  mkdirSync(join(dir, "upper"), { mode: 0o755 });
  copyRootMetadata(dir, top);
}

function requireLayer(path: string): void {
  if (existsSync(path)) return;
  throw new LapError("dataLoss", "ERR_LAP_LAYER_MISSING", `layer directory "${path}" is missing`, {
    hint: "load or pull the image again",
  });
}

function includeMount(path: string): MountSpec {
  return { destination: path, type: "bind", source: path, options: ["rbind", "rro", "rprivate"] };
}

/** The init layer of an image, shared by all its containers; made once, appears by rename. */
export function initLayer(paths: StorePaths, layers: readonly string[], lowers: readonly string[]): string {
  const final = initLayerDir(paths, layers);
  if (existsSync(final)) return final;
  const temporary = join(paths.trash, `init-${randomHex(8)}`);
  mkdirSync(temporary, { mode: 0o755 });
  withDirs([temporary, ...lowers], ([out, ...dirs]) =>
    writeInitLayer(out!, new MergedView(dirs.length > 0 ? dirs : [out!])),
  );
  try {
    renameSync(temporary, final);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(final)) throw error;
  }
  return final;
}

/** Fills a new container's directory: upper, work and, for the host, the mask layer. `dir` is not yet in its place. */
export function prepareContainerDirs(paths: StorePaths, record: ContainerRecord, dir: string): void {
  if (record.rootfs.kind === "module") return makeUpper(dir);
  if (record.storage === "vfs") return;
  if (record.rootfs.kind === "host") {
    mkdirSync(join(dir, "mask"), { mode: 0o755 });
    mkdirSync(join(dir, "host"), { mode: 0o755 });
    const masks = hostMasks([paths.root, defaultRoot()], record.rootfs.mask, record.request.noMask ?? false);
    withDirs([join(dir, "mask"), "/"], ([out, host]) => writeMaskLayer(out!, host!, masks));
  }
  const fill = (place: string): void => {
    makeUpper(place);
    copyRootMetadata(place, record.rootfs.kind === "host" ? "/" : lowerDirs(paths, record)[0]!);
  };
  if (hasSizedUpper(record)) makeBound(dir, storageBytes(record.request)!, fill);
  else fill(dir);
}

function makeUpper(dir: string): void {
  mkdirSync(join(dir, "work"), { mode: 0o700 });
  mkdirSync(join(dir, "upper"), { mode: 0o755 });
}

/** The upper's own mode and owner show as those of the container's root. */
export function copyRootMetadata(dir: string, top: string): void {
  withDirs([join(dir, "upper"), top], ([upper, from]) => {
    const stat = from!.stat("")!;
    upper!.chown("", stat.uid, stat.gid);
    upper!.chmod("", stat.mode);
    upper!.utimes("", stat.atime, stat.mtime);
  });
}

/** Opens directories for the length of `use`. */
export function withDirs<T>(dirPaths: readonly string[], use: (dirs: readonly DirFs[]) => T): T {
  const dirs: DirFs[] = [];
  try {
    for (const path of dirPaths) dirs.push(openDirFs(path));
    return use(dirs);
  } finally {
    for (const dir of dirs) dir.close();
  }
}
