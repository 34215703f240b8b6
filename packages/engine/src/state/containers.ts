// The containers of a store: making, finding, listing and removing their directories. One directory per container; the
// directory appears by rename, the name claim makes it public, and removal starts by a rename into the trash.
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import { removeWhole } from "@lapstrake/core";
import { isContainerId } from "./ids.ts";
import { claimName, claimRandomName, listNames, nameHolder, releaseName } from "./names.ts";
import { containerDir, readRecord, writeRecord, type ContainerRecord } from "./record.ts";
import { trashFrozen } from "./frozen.ts";
import { orDamaged } from "./read-stored.ts";
import { moveToTrash, type StorePaths } from "./layout.ts";
import { removeFromTrash } from "./trash.ts";
import { dropBound, hasSizedUpper } from "../sandbox/sized-upper.ts";

/** Makes the container public: its directory with the record, then its name. `prepare` fills the directory before. */
export function addContainer(
  paths: StorePaths,
  record: ContainerRecord,
  named: boolean,
  prepare: (dir: string) => void,
): ContainerRecord {
  const temporary = join(paths.trash, `new-${record.id}`);
  mkdirSync(temporary, { mode: 0o710 });
  const dir = containerDir(paths.containers, record.id);
  try {
    prepare(temporary);
    writeRecord(temporary, record);
    renameSync(temporary, dir);
    if (named) {
      claimName(paths, record.name, record.id);
      return record;
    }
    const name = claimRandomName(paths, record.id, record.name);
    if (name === record.name) return record;
    const renamed = { ...record, name };
    writeRecord(dir, renamed);
    return renamed;
  } catch (error) {
    removeWhole(temporary);
    removeWhole(dir);
    throw error;
  }
}

/** Directory of a container that {@link findContainer} or {@link listContainers} gave. */
export function dirOf(paths: StorePaths, record: ContainerRecord): string {
  return containerDir(paths.containers, record.id);
}

/** Every container with a name claim, newest first. Throws for a damaged record: for what must not overlook anybody. */
export function listContainers(paths: StorePaths): ContainerRecord[] {
  return listReadable(paths, (error) => {
    throw error;
  });
}

/** {@link listContainers}, without those whose records are damaged, which are told to `onDamage`. */
export function listReadable(paths: StorePaths, onDamage?: (error: LapError) => void): ContainerRecord[] {
  const records = listNames(paths).flatMap(({ id }) => {
    if (!isContainerId(id)) return [];
    return orDamaged(() => readRecord(containerDir(paths.containers, id)), onDamage) ?? [];
  });
  return records.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
}

/** By full id, name or unique id prefix, in Docker's order. Throws `ERR_LAP_NO_CONTAINER` or `ERR_LAP_ID_AMBIGUOUS`. */
export function findContainer(paths: StorePaths, wanted: string): ContainerRecord {
  const bare = wanted.startsWith("/") ? wanted.slice(1) : wanted;
  const id = resolveId(paths, bare);
  const record = id === undefined ? undefined : readRecord(containerDir(paths.containers, id));
  if (record === undefined) {
    throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `No such container: ${wanted}`);
  }
  return record;
}

function resolveId(paths: StorePaths, wanted: string): string | undefined {
  if (wanted === "" || wanted.includes("/") || wanted.includes("\0")) return undefined;
  if (isContainerId(wanted)) return wanted;
  const byName = nameHolder(paths, wanted);
  if (byName !== undefined && isContainerId(byName)) return byName;
  if (!/^[a-f0-9]+$/.test(wanted)) return undefined;
  const matches = containerIds(paths).filter((id) => id.startsWith(wanted));
  if (matches.length > 1) {
    throw new LapError("invalidArgument", "ERR_LAP_ID_AMBIGUOUS", `Multiple IDs found with provided prefix: ${wanted}`);
  }
  return matches[0];
}

/** Ids of every container directory, named or not. */
export function containerIds(paths: StorePaths): string[] {
  return readdirSync(paths.containers).filter(isContainerId);
}

/** Removes the directory and the name. The container must not run any more; a second remover finds nothing and is content. */
export function dropContainer(paths: StorePaths, record: ContainerRecord): void {
  let trashed: string | undefined;
  if (hasSizedUpper(record)) dropBound(dirOf(paths, record));
  try {
    trashed = moveToTrash(paths, dirOf(paths, record));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  releaseName(paths, record.name, record.id);
  if (trashed !== undefined) removeOrPutBack(paths, record, trashed);
  const unused = trashFrozen(paths, record.frozen ?? [], () => listContainers(paths));
  for (const name of unused) removeFromTrash(paths, name);
}

/** What cannot be removed is there again, if not whole, and can be tried again. */
function removeOrPutBack(paths: StorePaths, record: ContainerRecord, trashed: string): void {
  try {
    removeFromTrash(paths, basename(trashed));
  } catch (error) {
    const dir = dirOf(paths, record);
    // Gone after all: somebody else swept it.
    if (!existsSync(trashed)) return;
    renameSync(trashed, dir);
    const name = claimRandomName(paths, record.id, record.name);
    writeRecord(dir, name === record.name ? record : { ...record, name });
    const why = error instanceof Error ? error.message : String(error);
    const message = `container ${record.id}: failed to remove root filesystem: ${why}`;
    throw new LapError("unavailable", "ERR_LAP_REMOVAL", message, {
      cause: error,
      hint: "it is dead now; mend what stands in the way and remove it again",
    });
  }
}
