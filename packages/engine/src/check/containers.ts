// Containers and their names: every directory holds a record, every record a name, every ended run was cleaned up.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { EngineContext } from "../context.ts";
import { isAbandoned, isOrphan } from "../containers/creator.ts";
import { isReaped, reapContainer } from "../containers/reap.ts";
import { removalOf } from "../containers/removing.ts";
import { containerStatus } from "../containers/status.ts";
import { dirOf, dropContainer } from "../state/containers.ts";
import { isContainerId } from "../state/ids.ts";
import { claimRandomName, listNames, nameHolder, releaseName } from "../state/names.ts";
import { readRecord, writeRecord, type ContainerRecord } from "../state/record.ts";
import { removeFromTrash } from "../state/trash.ts";
import { isLost, readOr, setAside, strange, unreadable } from "./damaged.ts";
import { hasNoProcess } from "./machine.ts";
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
      : [strange(context.paths, dir, "not a container")];
  });
}

function directoryProblems(context: EngineContext, id: string, dir: string, minAgeMs: number): Problem[] {
  const read = readOr(() => readRecord(dir));
  if ("error" in read && !isLost(read.error)) return [unreadable(dir, read.error)];
  if ("error" in read || read.value === undefined) return [lost(context, id, dir)];
  const record = read.value;
  if (record.id !== id) return [strange(context.paths, dir, `the record of another container, ${record.id}`)];
  const half =
    halfRemoved(context, record, dir) ??
    dead(context, record, dir) ??
    unnamed(context, record) ??
    unfinished(context, record);
  if (half !== undefined) return [half];
  const files = readdirSync(dir).filter((name) => name.startsWith(TEMPORARY) && isSettled(join(dir, name), minAgeMs));
  return files.map((name) => leftover(join(dir, name)));
}

/** What it wrote is kept; what runs is for a person to end. */
function lost({ paths }: EngineContext, id: string, dir: string): Problem {
  const what = "a container without a readable record";
  if (hasNoProcess(id)) return strange(paths, dir, what);
  return { kind: "damage", subject: dir, text: `${what}, which runs: end the processes of its cgroup, then repair` };
}

/** Who removed it failed, or was killed. */
function halfRemoved({ paths }: EngineContext, record: ContainerRecord, dir: string): Problem | undefined {
  const removal = removalOf(dir);
  if (removal?.state !== "dead") return undefined;
  const why = removal.error === "" ? "was broken off" : `failed: ${removal.error}`;
  return {
    kind: "unsettled",
    subject: record.name,
    text: `its removal ${why}`,
    repair: () => dropContainer(paths, record),
  };
}

/** How it ended is lost; its files are not. */
function dead({ paths }: EngineContext, record: ContainerRecord, dir: string): Problem | undefined {
  const { state, error } = containerStatus(paths, record);
  if (state !== "dead") return undefined;
  const finding = { kind: "damage", subject: record.name } as const;
  if (!hasNoProcess(record.id)) return { ...finding, text: `${error}, and it runs: end it with lap rm -f, or kill` };
  return { ...finding, text: `${error}: how it ended is lost`, repair: () => setAside(paths, join(dir, "status")) };
}

/** A container exists for others from its name on: one that never got there is taken back. */
function unnamed(context: EngineContext, record: ContainerRecord): Problem | undefined {
  if (nameHolder(context.paths, record.name) === record.id) return undefined;
  if (listNames(context.paths).some(({ id }) => id === record.id)) return undefined;
  const finding = { kind: "unsettled", subject: record.id } as const;
  if (wasUsed(dirOf(context.paths, record))) {
    return { ...finding, text: "it has lost its name", repair: () => nameAgain(context, record) };
  }
  const text = "its creator was killed before it had a name";
  return { ...finding, text, repair: () => dropContainer(context.paths, record) };
}

/** Nobody could start it, or copy anything into it, without a name. */
function wasUsed(dir: string): boolean {
  if (existsSync(join(dir, "status"))) return true;
  const upper = join(dir, "upper");
  return existsSync(upper) && readdirSync(upper).length > 0;
}

/** Its own name, or a random one when somebody else has that by now. */
function nameAgain({ paths }: EngineContext, record: ContainerRecord): void {
  const name = claimRandomName(paths, record.id, record.name);
  if (name !== record.name) writeRecord(dirOf(paths, record), { ...record, name });
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
    // Its record may be within reach again later.
    const read = readOr(() => (isContainerId(id) ? readRecord(join(paths.containers, id)) : undefined));
    return "error" in read ? isLost(read.error) : read.value?.name !== name;
  });
  return [
    ...foreign.map((name) => strange(paths, join(paths.names, name), "not a name of a container")),
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

/** A temporary file of a writer that was killed. */
export function leftover(path: string): Problem {
  const repair = (): void => rmSync(path, { recursive: true, force: true });
  return { kind: "waste", subject: path, text: "left over by a process that was killed", repair };
}
