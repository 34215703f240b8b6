// The process that makes a container to run it at once. If it is killed between create and start, whoever looks cleans up.
import { bootId, startTime } from "@lapstrake/core";
import type { ContainerRecord, ProcessId } from "../state/record.ts";

/** A start that is under way in an orphaned supervisor writes its status well within this. */
const GRACE_MS = 5_000;

export function thisProcess(): ProcessId {
  return processOf(process.pid);
}

/** What a record keeps of a process that is alive now. */
export function processOf(pid: number): ProcessId {
  return { pid, startTime: startTime(pid) ?? 0, bootId: bootId() };
}

/** True for a container whose holder is dead. */
export function isOrphan({ holder }: ContainerRecord): boolean {
  return holder !== undefined && !isAlive(holder);
}

/** True for a container that does not run and that nobody will start: its creator or its holder is dead. */
export function isAbandoned(record: ContainerRecord, state: string): boolean {
  if (state === "exited") return isOrphan(record);
  const creator = record.creator ?? record.holder;
  if (creator === undefined || state !== "created") return false;
  return !isAlive(creator) && Date.now() - Date.parse(record.createdAt) > GRACE_MS;
}

/** True while it is the same process. */
export function isAlive({ bootId: boot, pid, startTime: since }: ProcessId): boolean {
  return boot === bootId() && startTime(pid) === since;
}
