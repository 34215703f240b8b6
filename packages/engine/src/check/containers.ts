// Containers and their names: every directory holds a record, every record a name, every ended run was cleaned up.
import { readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { LapError } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { isAbandoned, isOrphan } from "../containers/creator.ts";
import { isReaped, reapContainer } from "../containers/reap.ts";
import { containerStatus } from "../containers/status.ts";
import { dropContainer } from "../state/containers.ts";
import { isContainerId } from "../state/ids.ts";
import { moveToTrash } from "../state/layout.ts";
import { listNames, nameHolder, releaseName } from "../state/names.ts";
import { readRecord, type ContainerRecord } from "../state/record.ts";
import { removeFromTrash } from "../state/trash.ts";
import { isSettled, type Problem } from "./problem.ts";

/** How atomic writes name their files until they are whole. */
const TEMPORARY = ".tmp-";

/** Everything wrong with the containers of a store. */
export function containerProblems(context: EngineContext, minAgeMs: number): Problem[] {
  const { containers } = context.paths;
  return readdirSync(containers).flatMap((name) => {
    const dir = join(containers, name);
    if (!isSettled(dir, minAgeMs)) return [];
    return isContainerId(name)
      ? directoryProblems(context, name, dir, minAgeMs)
      : [discard(context, dir, "not a container")];
  });
}

function directoryProblems(context: EngineContext, id: string, dir: string, minAgeMs: number): Problem[] {
  const record = recordOf(dir);
  if (record === undefined) return [discard(context, dir, "a container without a readable record")];
  if (record.id !== id) return [discard(context, dir, `the record of another container, ${record.id}`)];
  const half = unnamed(context, record) ?? unfinished(context, record);
  if (half !== undefined) return [half];
  const files = readdirSync(dir).filter((name) => name.startsWith(TEMPORARY) && isSettled(join(dir, name), minAgeMs));
  return files.map((name) => leftover(join(dir, name)));
}

/** Undefined for a missing or damaged record. */
function recordOf(dir: string): ContainerRecord | undefined {
  try {
    return readRecord(dir);
  } catch (error) {
    if (error instanceof LapError && error.code === "ERR_LAP_RECORD_INVALID") return undefined;
    throw error;
  }
}

/** A container exists for others from its name on: one that never got there is taken back. */
function unnamed(context: EngineContext, record: ContainerRecord): Problem | undefined {
  if (nameHolder(context.paths, record.name) === record.id) return undefined;
  if (listNames(context.paths).some(({ id }) => id === record.id)) return undefined;
  return {
    kind: "unsettled",
    subject: record.id,
    text: "its creator was killed before it had a name",
    repair: () => dropContainer(context.paths, record),
  };
}

function unfinished(context: EngineContext, record: ContainerRecord): Problem | undefined {
  const status = containerStatus(context.paths, record);
  if (isAbandoned(record, status.state)) {
    const text = isOrphan(record) ? "the program that held it is dead" : "its creator was killed before the start";
    return { kind: "unsettled", subject: record.id, text, repair: () => reapContainer(context, record) };
  }
  if (status.state !== "exited" || isReaped(context, record)) return undefined;
  const text = "it ended, and nobody cleaned up after it";
  return { kind: "unsettled", subject: record.id, text, repair: () => reapContainer(context, record) };
}

/** Names: each leads to a container that has it. */
export function nameProblems({ paths }: EngineContext, minAgeMs: number): Problem[] {
  const foreign = readdirSync(paths.names).filter((name) => nameHolder(paths, name) === undefined);
  const stale = listNames(paths).filter(({ name, id }) => {
    if (!isSettled(join(paths.names, name), minAgeMs)) return false;
    return !isContainerId(id) || recordOf(join(paths.containers, id))?.name !== name;
  });
  return [
    ...foreign.map((name) => leftover(join(paths.names, name))),
    ...stale.map(({ name, id }) => ({
      kind: "unsettled" as const,
      subject: name,
      text: `the name stands for container ${id}, which does not have it`,
      repair: () => releaseName(paths, name, id),
    })),
  ];
}

/** Things on their way in or out whose process is dead. */
export function trashProblems({ paths }: EngineContext, minAgeMs: number): Problem[] {
  return readdirSync(paths.trash)
    .filter((name) => isSettled(join(paths.trash, name), minAgeMs))
    .map((name) => ({
      kind: "waste",
      subject: join(paths.trash, name),
      text: "left over by a process that was killed",
      repair: () => removeFromTrash(paths, name),
    }));
}

/** Moves a directory that is no container into the trash. */
function discard({ paths }: EngineContext, dir: string, text: string): Problem {
  const repair = (): void => removeFromTrash(paths, basename(moveToTrash(paths, dir)));
  return { kind: "damage", subject: dir, text, repair };
}

/** A temporary file of a writer that was killed. */
export function leftover(path: string): Problem {
  const repair = (): void => rmSync(path, { recursive: true, force: true });
  return { kind: "waste", subject: path, text: "left over by a process that was killed", repair };
}
