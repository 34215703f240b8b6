// Volumes as people manage them: make, list, look at, remove, prune; and what they take of the disk.
import { LapError, formatTimestamp } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { emitPrune } from "../events/prune-event.ts";
import { emitVolume } from "../events/volume-events.ts";
import type { Engine } from "../engine.ts";
import { randomHex } from "../state/random.ts";
import { listReadable } from "../state/containers.ts";
import { removeFromTrash } from "../state/trash.ts";
import { treeBytes } from "./tree-bytes.ts";
import { volumeUsers } from "./commit-mounts.ts";
import { checkVolumeOptions } from "./local-options.ts";
import { ANONYMOUS_LABEL, checkVolumeName, isAnonymous, type VolumeRecord } from "./volume-record.ts";
import {
  allVolumes,
  dropVolume,
  ensureVolume,
  findVolume,
  getVolume,
  lockVolumes,
  volumeData,
} from "./volume-store.ts";

/** What to make a volume of. */
export interface VolumeRequest {
  /** Absent: an anonymous volume with a random name. */
  readonly name?: string;
  /** Only `local`. */
  readonly driver?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** `type=none`, `o=bind`, `device=FOLDER`: the volume stands for a folder of the machine. */
  readonly options?: Readonly<Record<string, string>>;
}

/** A volume as listings show it. */
export interface VolumeRow {
  readonly record: VolumeRecord;
  /** Folder of the machine that is mounted. */
  readonly mountpoint: string;
  /** Number of containers that have it. */
  readonly users: number;
}

/** Disk use of a volume. */
export interface SizedVolume extends VolumeRow {
  /** Bytes on disk; 0 for one that stands for a folder of the machine. */
  readonly sizeBytes: number;
}

/** Makes a volume, or gives the one that has the name. Throws `ERR_LAP_NAME_INVALID`, `ERR_LAP_VOLUME_DRIVER`, `ERR_LAP_VOLUME_OPTION`. */
export function createVolume(engine: Engine, request: VolumeRequest): VolumeRecord {
  const { paths, clock } = engine.context;
  const name = request.name ?? randomHex(32);
  const options = request.options ?? null;
  checkVolumeOptions(name, request.driver ?? "local", options);
  checkVolumeName(name);
  const anonymous = request.name === undefined ? { [ANONYMOUS_LABEL]: "" } : undefined;
  const labels = request.labels === undefined && anonymous === undefined ? null : { ...request.labels, ...anonymous };
  using _lock = lockVolumes(paths);
  const wanted = { version: 1, name, createdAt: formatTimestamp(clock.now().sec, 0), labels, options } as const;
  const made = ensureVolume(paths, wanted);
  if (made === wanted) emitVolume(engine.context, "create", name);
  return made;
}

/** Every volume, by name. */
export function listVolumes(engine: Engine): VolumeRow[] {
  const { paths, logger } = engine.context;
  const tell = (error: LapError): void => logger.warn(error.message);
  const used = new Map<string, number>();
  for (const { mounts = [] } of listReadable(paths, tell)) {
    const names = new Set(mounts.flatMap(({ type, source }) => (type === "volume" ? [source] : [])));
    for (const name of names) used.set(name, (used.get(name) ?? 0) + 1);
  }
  return allVolumes(paths, tell).map((record) => ({
    record,
    mountpoint: volumeData(paths, record.name),
    users: used.get(record.name) ?? 0,
  }));
}

/** Every volume with its size; reads all their directories. */
export function volumesUsage(engine: Engine): SizedVolume[] {
  return listVolumes(engine).map((row) => ({ ...row, sizeBytes: volumeBytes(row) }));
}

function volumeBytes({ record, mountpoint }: VolumeRow): number {
  if (record.options?.["device"] !== undefined) return 0;
  using dir = openDirFs(mountpoint, { live: true });
  return treeBytes(dir);
}

/** The object `docker volume inspect` prints. Throws `ERR_LAP_NO_VOLUME`. */
export function inspectVolume(engine: Engine, name: string): Readonly<Record<string, unknown>> {
  const { paths } = engine.context;
  const record = findVolume(paths, name);
  return {
    CreatedAt: record.createdAt,
    Driver: "local",
    Labels: record.labels,
    Mountpoint: volumeData(paths, record.name),
    Name: record.name,
    Options: record.options,
    Scope: "local",
  };
}

/** Removes a volume that no container has. Throws `ERR_LAP_NO_VOLUME`, `ERR_LAP_VOLUME_IN_USE`. */
export function removeVolume(engine: Engine, name: string): void {
  const { paths } = engine.context;
  let trashed: string;
  {
    using _lock = lockVolumes(paths);
    findVolume(paths, name);
    const users = volumeUsers(paths, name);
    if (users.length > 0) {
      throw new LapError(
        "conflict",
        "ERR_LAP_VOLUME_IN_USE",
        `remove ${name}: volume is in use - [${users.join(", ")}]`,
      );
    }
    trashed = dropVolume(paths, name);
  }
  removeFromTrash(paths, trashed);
  emitVolume(engine.context, "destroy", name);
}

/** Removes volumes that no container has; returns what went. `keep` holds some back; named ones go with `all` only. */
export function pruneVolumes(
  engine: Engine,
  options: { readonly all: boolean; readonly keep?: (record: VolumeRecord) => boolean },
): SizedVolume[] {
  const { paths } = engine.context;
  const unused = volumesUsage(engine).filter(({ record, users }) => {
    return users === 0 && (options.all || isAnonymous(record)) && options.keep?.(record) !== true;
  });
  const trash: string[] = [];
  const gone: SizedVolume[] = [];
  {
    using _lock = lockVolumes(paths);
    for (const row of unused) {
      const { name } = row.record;
      // Somebody may have taken or removed it meanwhile.
      if (getVolume(paths, name) === undefined || volumeUsers(paths, name).length > 0) continue;
      trash.push(dropVolume(paths, name));
      gone.push(row);
      emitVolume(engine.context, "destroy", name);
    }
  }
  for (const name of trash) removeFromTrash(paths, name);
  emitPrune(
    engine.context,
    "volume",
    gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  return gone;
}
