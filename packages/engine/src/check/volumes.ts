// Volumes: each directory has a record, each mount of a container its volume. What people keep in volumes is never deleted here.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatTimestamp } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { writeFileAtomic } from "../state/atomic.ts";
import { namesIn } from "../state/names-in.ts";
import { orDamaged } from "../state/read-stored.ts";
import { isVolumeName, readVolume, type VolumeRecord } from "../volumes/volume-record.ts";
import { lockVolumes, volumeData, volumeDir, volumesDir } from "../volumes/volume-store.ts";
import { isLost, knownContainers, readOr, unreadable } from "./damaged.ts";
import { isSettled, type Problem } from "./problem.ts";

/** Volumes that lost their records or their files, and containers that lost their volumes. */
export function volumeProblems(context: EngineContext, minAgeMs: number): Problem[] {
  const names = namesIn(volumesDir(context.paths)).filter(
    (name) => isVolumeName(name) && isSettled(volumeDir(context.paths, name), minAgeMs),
  );
  return [...names.flatMap((name) => directoryProblem(context, name)), ...missing(context)];
}

function directoryProblem(context: EngineContext, name: string): Problem[] {
  const { paths } = context;
  const subject = volumeDir(paths, name);
  const read = readOr(() => readVolume(subject));
  if ("error" in read && !isLost(read.error)) return [unreadable(subject, read.error)];
  if ("value" in read && read.value !== undefined) return [];
  if (!existsSync(volumeData(paths, name))) {
    return [{ kind: "damage", subject, text: "neither a volume nor a part of one: look what it is, then delete it" }];
  }
  const text = "a volume without a readable record; its labels and options are lost";
  return [{ kind: "damage", subject, text, repair: () => recover(context, name) }];
}

/** A plain volume with the files that are there. */
function recover({ paths, clock }: EngineContext, name: string): void {
  using _lock = lockVolumes(paths);
  const dir = volumeDir(paths, name);
  if (orDamaged(() => readVolume(dir)) !== undefined) return;
  const createdAt = formatTimestamp(clock.now().sec, 0);
  const record: VolumeRecord = { version: 1, name, createdAt, labels: null, options: null };
  writeFileAtomic(join(dir, "record.json"), `${JSON.stringify(record)}\n`, { durable: true });
}

function missing({ paths }: EngineContext): Problem[] {
  return knownContainers(paths).known.flatMap(({ name, mounts = [] }) =>
    mounts
      .filter(({ type, source }) => type === "volume" && !existsSync(volumeDir(paths, source)))
      .map(({ source }): Problem => ({
        kind: "damage",
        subject: name,
        text: `its volume ${source} is not there: make one of that name, or remove the container`,
      })),
  );
}
