// The volumes of a store: <root>/volumes/<name>/{_data,record.json}. A volume appears whole by rename and goes by rename into the
// trash. One lock for all: who uses a volume (the containers' records) and whether it exists are looked at together.
import { chmodSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { LapError } from "@lapstrake/base";
import { lockFile } from "@lapstrake/core";
import { writeFileAtomic } from "../state/atomic.ts";
import { moveToTrash, type StorePaths } from "../state/layout.ts";
import { namesIn } from "../state/names-in.ts";
import { randomHex } from "../state/random.ts";
import { orDamaged } from "../state/read-stored.ts";
import { isAnonymous, isVolumeName, readVolume, type VolumeRecord } from "./volume-record.ts";

const LOCK_TIMEOUT_MS = 60_000;

/** The directory of all volumes. */
export function volumesDir(paths: StorePaths): string {
  return join(paths.root, "volumes");
}

/** The directory of one volume. */
export function volumeDir(paths: StorePaths, name: string): string {
  return join(volumesDir(paths), name);
}

/** What is mounted: the volume's own directory. */
export function volumeData(paths: StorePaths, name: string): string {
  return join(volumeDir(paths, name), "_data");
}

/** The lock of all volumes; taken after a container's own. */
export function lockVolumes(paths: StorePaths): Disposable {
  mkdirSync(volumesDir(paths), { recursive: true, mode: 0o711 });
  return lockFile(join(volumesDir(paths), ".lock"), LOCK_TIMEOUT_MS);
}

/** A volume by its name; undefined when there is none. */
export function getVolume(paths: StorePaths, name: string): VolumeRecord | undefined {
  return isVolumeName(name) ? readVolume(volumeDir(paths, name)) : undefined;
}

/** {@link getVolume}; throws `ERR_LAP_NO_VOLUME`. */
export function findVolume(paths: StorePaths, name: string): VolumeRecord {
  const found = getVolume(paths, name);
  if (found !== undefined) return found;
  throw new LapError("notFound", "ERR_LAP_NO_VOLUME", `get ${name}: no such volume`);
}

/** Every volume, by name, without those whose records are damaged, which are told to `onDamage`. */
export function allVolumes(paths: StorePaths, onDamage?: (error: LapError) => void): VolumeRecord[] {
  return namesIn(volumesDir(paths))
    .filter(isVolumeName)
    .toSorted()
    .flatMap((name) => orDamaged(() => getVolume(paths, name), onDamage) ?? []);
}

/** Makes the volume unless it exists; returns what exists then. Needs the lock. */
export function ensureVolume(paths: StorePaths, wanted: VolumeRecord): VolumeRecord {
  const found = getVolume(paths, wanted.name);
  if (found !== undefined) return found;
  const temporary = join(paths.trash, `volume-${randomHex(8)}`);
  mkdirSync(temporary, { mode: 0o711 });
  mkdirSync(join(temporary, "_data"));
  // Whatever the umask: users of the container besides root look in too.
  chmodSync(join(temporary, "_data"), 0o755);
  const durable = !isAnonymous(wanted);
  writeFileAtomic(join(temporary, "record.json"), `${JSON.stringify(wanted)}\n`, { durable });
  renameSync(temporary, volumeDir(paths, wanted.name));
  return wanted;
}

/** Takes a volume away; returns its name in the trash, to be deleted from there. Needs the lock, and that nobody uses it. */
export function dropVolume(paths: StorePaths, name: string): string {
  return basename(moveToTrash(paths, volumeDir(paths, name)));
}

/** True when nothing is in the volume. Needs the lock for an answer that lasts. */
export function isEmptyVolume(paths: StorePaths, name: string): boolean {
  return readdirSync(volumeData(paths, name)).length === 0;
}
