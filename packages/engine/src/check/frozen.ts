// What containers wrote before they were forked (frozen/): every container finds its own, nothing is kept for nobody. And the holders
// of containers: what a program held goes with it.
import { existsSync } from "node:fs";
import { isAbandoned, isOrphan } from "../containers/creator.ts";
import { lockedIn } from "../containers/lock.ts";
import { removeContainer } from "../containers/remove.ts";
import { containerStatus } from "../containers/status.ts";
import type { EngineContext } from "../context.ts";
import { dirOf, listContainers } from "../state/containers.ts";
import { frozenDir, frozenRoot, trashFrozen } from "../state/frozen.ts";
import { namesIn } from "../state/names-in.ts";
import { readRecord, writeRecord, type ContainerRecord } from "../state/record.ts";
import { removeFromTrash } from "../state/trash.ts";
import { leftover } from "./containers.ts";
import { knownContainers } from "./damaged.ts";
import { isSettled, type Problem } from "./problem.ts";

const NAME = /^[a-f0-9]{64}$/;

/** Frozen directories that nobody needs, and those that somebody misses. */
export function frozenProblems(context: EngineContext, minAgeMs: number): Problem[] {
  const { paths } = context;
  const { known, isAll } = knownContainers(paths);
  const needed = new Set(known.flatMap(({ frozen }) => frozen ?? []));
  const idle = namesIn(frozenRoot(paths))
    .filter((name) => isAll && !needed.has(name) && name !== ".lock")
    .filter((name) => isSettled(frozenDir(paths, name), minAgeMs));
  return [
    ...idle.map((name) => (NAME.test(name) ? unneeded(context, name) : leftover(frozenDir(paths, name)))),
    ...known.flatMap((record) => missing(context, record, minAgeMs)),
  ];
}

function unneeded({ paths }: EngineContext, name: string): Problem {
  return {
    kind: "waste",
    subject: frozenDir(paths, name),
    text: "what a container wrote before it was forked, and no container needs any more",
    repair: () => {
      for (const gone of trashFrozen(paths, [name], () => listContainers(paths))) removeFromTrash(paths, gone);
    },
  };
}

/** A fork that was killed between its record and its move leaves a name; its files are in the upper. */
function missing(context: EngineContext, record: ContainerRecord, minAgeMs: number): Problem[] {
  const { paths } = context;
  const isThere = (name: string): boolean => existsSync(frozenDir(paths, name));
  const dir = dirOf(paths, record);
  if ((record.frozen ?? []).every(isThere) || !isSettled(dir, minAgeMs)) return [];
  const repair = async (): Promise<void> => {
    using _lock = await lockedIn(dir, record);
    const now = readRecord(dir);
    if (now !== undefined) writeRecord(dir, { ...now, frozen: (now.frozen ?? []).filter(isThere) });
  };
  const text = "it names files from before a fork that are not there: the fork was killed, or somebody deleted them";
  return [{ kind: "unsettled", subject: record.name, text, repair }];
}

/** Containers that run although the program that held them is dead. */
export function holderProblems(context: EngineContext, minAgeMs: number): Problem[] {
  return knownContainers(context.paths).known.flatMap((record): Problem[] => {
    const { state } = containerStatus(context.paths, record);
    // Those are found as unfinished.
    if (!isOrphan(record) || isAbandoned(record, state)) return [];
    if (!isSettled(dirOf(context.paths, record), minAgeMs)) return [];
    const text = `it is ${state}, and the program that held it is dead`;
    const repair = (): Promise<void> => removeContainer(context, record, { force: true });
    return [{ kind: "unsettled", subject: record.id, text, repair }];
  });
}
