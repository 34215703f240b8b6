// What changes the state of a restart policy: the end of a run, a person who starts or stops. The lock of the container is held.
import type { ContainerStatus } from "../containers/status.ts";
import type { ContainerRecord } from "../state/record.ts";
import { afterEnd } from "./policy.ts";
import { FIRST_STATE, hasRestartPolicy, readRestart, writeRestart } from "./state.ts";

const MS = 1000;

/** After the end of a run: true when the container starts again, which the keeper has to be told. */
export function planRestart(dir: string, record: ContainerRecord, status: ContainerStatus): boolean {
  const { restart } = record.request;
  const state = readRestart(dir);
  // Somebody ended it to start it again.
  if (state.dueMs !== undefined) return true;
  if (restart === undefined || status.startedAt === undefined) return false;
  const nowMs = Date.now();
  const ended = status.finishedAt;
  const endMs = ended === undefined ? nowMs : ended.sec * MS + ended.nsec / 1e6;
  const ranMs = endMs - (status.startedAt.sec * MS + status.startedAt.nsec / 1e6);
  const next = afterEnd(restart, state, { exitCode: status.exitCode, ranMs, nowMs });
  writeRestart(dir, next);
  return next.dueMs !== undefined;
}

/** A person starts it: everything begins anew. */
export function noteStart(dir: string, record: ContainerRecord): void {
  if (hasRestartPolicy(record)) writeRestart(dir, FIRST_STATE);
}

/** The policy starts it: it does not wait any more. */
export function noteRestart(dir: string): void {
  const { count, delayMs, stopped } = readRestart(dir);
  writeRestart(dir, { count, delayMs, stopped });
}

/** A person stops it, running or waiting: it stays so. True when it was waiting. */
export function noteStop(dir: string): boolean {
  const { count, delayMs, dueMs } = readRestart(dir);
  writeRestart(dir, { count, delayMs, stopped: true });
  return dueMs !== undefined;
}
