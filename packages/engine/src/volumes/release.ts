// The volumes of a container that is gone: those that nobody named go with it, unless somebody else uses them.
import type { StorePaths } from "../state/layout.ts";
import type { ContainerRecord } from "../state/record.ts";
import { removeFromTrash } from "../state/trash.ts";
import { volumeUsers } from "./commit-mounts.ts";
import { dropVolume, getVolume, lockVolumes } from "./volume-store.ts";

/** Removes anonymous volumes; returns their names. Call it when the container is removed. Idempotent. */
export function releaseVolumes(paths: StorePaths, record: ContainerRecord): string[] {
  const names = anonymousVolumes(record);
  if (names.length === 0) return [];
  const removed: string[] = [];
  const trash: string[] = [];
  {
    using _lock = lockVolumes(paths);
    for (const name of names) {
      if (getVolume(paths, name) === undefined || volumeUsers(paths, name).length > 0) continue;
      trash.push(dropVolume(paths, name));
      removed.push(name);
    }
  }
  for (const name of trash) removeFromTrash(paths, name);
  return removed;
}

function anonymousVolumes({ mounts = [] }: ContainerRecord): string[] {
  return mounts.flatMap(({ type, source, anonymous }) => (type === "volume" && anonymous === true ? [source] : []));
}
