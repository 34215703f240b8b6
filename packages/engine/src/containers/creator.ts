// The process that makes a container to run it at once. If it is killed between create and start, whoever looks cleans up.
import { bootId, startTime } from "@lapstrake/core";
import type { ContainerRecord, ProcessId } from "../state/record.ts";

/** A start that is under way in an orphaned supervisor writes its status well within this. */
const GRACE_MS = 5_000;

export function thisProcess(): ProcessId {
  return { pid: process.pid, startTime: startTime(process.pid) ?? 0, bootId: bootId() };
}

/** True for a container that was never started and whose creator, who would have, is dead. */
export function isAbandoned(record: ContainerRecord, state: string): boolean {
  const { creator } = record;
  if (creator === undefined || state !== "created") return false;
  const isAlive = creator.bootId === bootId() && startTime(creator.pid) === creator.startTime;
  return !isAlive && Date.now() - Date.parse(record.createdAt) > GRACE_MS;
}
