// Planned mounts -> volumes on disk, and the container that uses them, in one step for everybody else: a volume that a container
// names exists from the moment the container does, with the image's content in it.
import { rmSync } from "node:fs";
import type { EngineContext } from "../context.ts";
import { emitVolume } from "../events/volume-events.ts";
import { listContainers } from "../state/containers.ts";
import type { StorePaths } from "../state/layout.ts";
import { removeFromTrash } from "../state/trash.ts";
import { adoptContent, stageContent, type ImageContent } from "./image-content.ts";
import { deviceOf } from "./local-options.ts";
import type { PlannedMount } from "./resolve.ts";
import { dropVolume, ensureVolume, getVolume, isEmptyVolume, lockVolumes } from "./volume-store.ts";

/** Makes the volumes and runs `publish`, which makes the container public; when that throws, anonymous volumes go again. */
export async function commitMounts<T>(
  context: EngineContext,
  planned: readonly PlannedMount[],
  image: ImageContent,
  publish: () => T,
): Promise<T> {
  const { paths } = context;
  const staged = await stageAll(paths, planned, image);
  const trash: string[] = [];
  try {
    using _lock = lockVolumes(paths);
    makeVolumes(context, planned, staged);
    try {
      return publish();
    } catch (error) {
      for (const { mount } of planned) if (mount.anonymous === true) trash.push(dropVolume(paths, mount.source));
      throw error;
    }
  } finally {
    for (const path of staged.values()) rmSync(path, { recursive: true, force: true });
    for (const name of trash) removeFromTrash(paths, name);
  }
}

/** Content for volumes that are empty or do not exist, by volume name. */
async function stageAll(
  paths: StorePaths,
  planned: readonly PlannedMount[],
  image: ImageContent,
): Promise<Map<string, string>> {
  const staged = new Map<string, string>();
  for (const { mount, volume, copyUp } of planned) {
    if (!copyUp || volume === undefined || staged.has(volume.name)) continue;
    const found = getVolume(paths, volume.name);
    if (found !== undefined && (deviceOf(found) !== undefined || !isEmptyVolume(paths, found.name))) continue;
    const content = await stageContent(paths, image, mount.target);
    if (content !== undefined) staged.set(volume.name, content);
  }
  return staged;
}

function makeVolumes(context: EngineContext, planned: readonly PlannedMount[], staged: Map<string, string>): void {
  const { paths } = context;
  for (const { volume } of planned) {
    if (volume === undefined) continue;
    const made = ensureVolume(paths, volume);
    if (made === volume) emitVolume(context, "create", made.name);
    const content = staged.get(made.name);
    if (content === undefined || deviceOf(made) !== undefined || !isEmptyVolume(paths, made.name)) continue;
    adoptContent(paths, made.name, content, volumeUsers(paths, made.name).length > 0);
    staged.delete(made.name);
  }
}

/** Ids of the containers that have a volume. Needs the volumes' lock for an answer that lasts. */
export function volumeUsers(paths: StorePaths, name: string): string[] {
  return listContainers(paths)
    .filter(({ mounts = [] }) => mounts.some(({ type, source }) => type === "volume" && source === name))
    .map(({ id }) => id);
}
