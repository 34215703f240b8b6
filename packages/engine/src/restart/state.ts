// restart.json in the directory of a container with a restart policy: written under the container's lock, read by anybody.
import { join } from "node:path";
import type { Timespec } from "@lapstrake/base";
import { writeFileAtomic } from "../state/atomic.ts";
import { readStored } from "../state/read-stored.ts";
import type { ContainerRecord } from "../state/record.ts";

/** How it goes on, kept in the container's directory. */
export interface RestartState {
  /** Restarts since a person started it. */
  readonly count: number;
  /** The last back-off in milliseconds; 0 before the first. */
  readonly delayMs: number;
  /** A person stopped it. */
  readonly stopped: boolean;
  /** It was stopped with the whole store, and starts with it again. */
  readonly halted?: boolean;
  /** When it starts again, in milliseconds since the epoch; absent when it does not. */
  readonly dueMs?: number;
}

export const FIRST_STATE: RestartState = { count: 0, delayMs: 0, stopped: false };

const RESTART_FILE = "restart.json";

/** How it stands; the first state when nothing was written yet, or a crash of the machine left half of it. */
export function readRestart(dir: string): RestartState {
  const text = readStored(join(dir, RESTART_FILE));
  if (text === undefined) return FIRST_STATE;
  try {
    const value = JSON.parse(text) as RestartState;
    return typeof value.count === "number" ? value : FIRST_STATE;
  } catch (error) {
    if (error instanceof SyntaxError) return FIRST_STATE;
    throw error;
  }
}

/** The lock of the container is held. */
export function writeRestart(dir: string, state: RestartState): void {
  writeFileAtomic(join(dir, RESTART_FILE), JSON.stringify(state));
}

/** True for a container that may start again by itself. */
export function hasRestartPolicy({ request }: ContainerRecord): boolean {
  if (request.healthOnFailure === "restart") return true;
  return request.restart !== undefined && request.restart.name !== "no";
}

/** True when a container that does not run waits for its next start; `startedAt` is that of its last run. */
export function isRestarting(dir: string, record: ContainerRecord, startedAt: Timespec | undefined): boolean {
  return hasRestartPolicy(record) && isWaiting(readRestart(dir), startedAt);
}

/** True unless the start that was waited for has happened: who did it may have been killed before it could write that down. */
export function isWaiting({ dueMs }: RestartState, startedAt: Timespec | undefined): boolean {
  return dueMs !== undefined && (startedAt === undefined || startedAt.sec * 1000 + startedAt.nsec / 1e6 < dueMs);
}
