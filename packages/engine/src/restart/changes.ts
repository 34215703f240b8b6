// What changes the state of a restart policy: the end of a run, a person who starts or stops. The lock of the container is held.
import type { ContainerStatus } from "../containers/status.ts";
import type { ContainerRecord } from "../state/record.ts";
import { afterEnd } from "./policy.ts";
import { FIRST_STATE, hasRestartPolicy, isWaiting, readRestart, writeRestart, type RestartState } from "./state.ts";

const MS = 1000;
/** Docker's exit code of a container that could not be started. */
const FAILED = 125;

/** After the end of a run: true when the container starts again, which the keeper has to be told. */
export function planRestart(dir: string, record: ContainerRecord, status: ContainerStatus): boolean {
  const { restart } = record.request;
  const state = readRestart(dir);
  // Somebody ended it to start it again.
  if (isWaiting(state, status.startedAt)) return true;
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

/** A start by the policy that failed counts as a run that did; true when it is tried again. */
export function planRetry(dir: string, record: ContainerRecord): boolean {
  const { restart } = record.request;
  const { count, delayMs, stopped } = readRestart(dir);
  const state: RestartState = { count, delayMs, stopped };
  const end = { exitCode: FAILED, ranMs: 0, nowMs: Date.now() };
  const next = restart === undefined ? state : afterEnd(restart, state, end);
  writeRestart(dir, next);
  return next.dueMs !== undefined;
}

/** The policy started it: it does not wait any more. */
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

/** The whole store stops: it stays so until that starts. What a person stopped before stays a person's. True when it was waiting. */
export function noteHalt(dir: string): boolean {
  const { count, delayMs, dueMs, stopped, halted } = readRestart(dir);
  if (!stopped) writeRestart(dir, { count, delayMs, stopped: true, halted: true });
  else if (dueMs !== undefined) writeRestart(dir, { count, delayMs, stopped, ...(halted === true ? { halted } : {}) });
  return dueMs !== undefined;
}
