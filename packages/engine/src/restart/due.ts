// Starting again what is due: the keeper's duty, and the start of one container when its time has come.
import type { EngineContext } from "../context.ts";
import { acquireLock } from "../containers/lock.ts";
import { startAgain } from "../containers/start.ts";
import { reapContainer } from "../containers/reap.ts";
import type { Duty, Report } from "../keeper/duty.ts";
import { containerIds } from "../state/containers.ts";
import { containerDir, readRecord, type ContainerRecord } from "../state/record.ts";
import { planRetry } from "./changes.ts";
import { hasRestartPolicy, readRestart } from "./state.ts";

/** Containers that wait for their next start, with its time in milliseconds since the epoch. */
export function waitingContainers(context: EngineContext): Map<string, number> {
  const found = new Map<string, number>();
  for (const id of containerIds(context.paths)) {
    const { dueMs } = readRestart(containerDir(context.paths.containers, id));
    if (dueMs !== undefined) found.set(id, dueMs);
  }
  return found;
}

/** Holds the clock of every container that waits. */
export class Restarts implements Duty {
  readonly #context: EngineContext;
  readonly #timers = new Map<string, { readonly dueMs: number; readonly timer: NodeJS.Timeout }>();
  readonly #starting = new Set<Promise<void>>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#timers.size + this.#starting.size;
  }

  sync(report: Report): Promise<void> {
    const waiting = waitingContainers(this.#context);
    for (const [id, { dueMs, timer }] of this.#timers) {
      if (waiting.get(id) === dueMs) continue;
      clearTimeout(timer);
      this.#timers.delete(id);
    }
    for (const [id, dueMs] of waiting) {
      if (this.#timers.has(id)) continue;
      const timer = setTimeout(() => this.#start(id, dueMs, report), Math.max(0, dueMs - Date.now()));
      this.#timers.set(id, { dueMs, timer });
    }
    return Promise.resolve();
  }

  #start(id: string, dueMs: number, report: Report): void {
    const record = readRecord(containerDir(this.#context.paths.containers, id));
    // Not awaited by sync(): a start asks the keeper for names, which waits for sync().
    const work = (record === undefined ? Promise.resolve() : startDue(this.#context, record, dueMs))
      .then(() => this.#forget(id, dueMs))
      .catch((error: unknown) => {
        report(`restart of container ${id}`, error);
        this.#forget(id, dueMs);
        // It has another time now.
        return this.sync(report);
      })
      .finally(() => this.#starting.delete(work));
    this.#starting.add(work);
  }

  /** Unless it waits for another time by now. */
  #forget(id: string, dueMs: number): void {
    if (this.#timers.get(id)?.dueMs === dueMs) this.#timers.delete(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#starting);
  }
}

/** Starts it unless something else happened to it meanwhile. One that cannot start is tried again later, by its policy. */
async function startDue(context: EngineContext, record: ContainerRecord, dueMs: number): Promise<void> {
  if (!hasRestartPolicy(record)) return;
  try {
    await startAgain(context, record, dueMs);
  } catch (error) {
    await reapContainer(context, record);
    const dir = containerDir(context.paths.containers, record.id);
    using lock = await acquireLock(dir);
    if (lock !== undefined) planRetry(dir, record);
    throw error;
  }
}
