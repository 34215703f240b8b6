// The keeper's duty of health: a loop for each container that runs and has a check, started by what the containers' directories say.
import { setTimeout as sleep } from "node:timers/promises";
import type { EngineContext } from "../context.ts";
import { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import type { Duty, Report } from "../keeper/duty.ts";
import { containerIds } from "../state/containers.ts";
import { containerDir, readRecord, type ContainerRecord } from "../state/record.ts";
import { containerStatus } from "../containers/status.ts";
import { actOn } from "./act.ts";
import { healthPlan, type HealthPlan } from "./config.ts";
import { judge, nextDelayMs } from "./judge.ts";
import { probe } from "./probe.ts";
import { hasHealth, isChecked, readHealth, STARTING, writeHealth } from "./state.ts";

/** A run of a container that is checked. */
interface Run {
  readonly record: ContainerRecord;
  readonly startedMs: number;
}

/** Containers that run and have a check. */
export function checkedRuns(context: EngineContext): Map<string, Run> {
  const found = new Map<string, Run>();
  for (const id of containerIds(context.paths)) {
    const dir = containerDir(context.paths.containers, id);
    const record = hasHealth(dir) ? readRecord(dir) : undefined;
    if (record === undefined || !isChecked(record)) continue;
    const { state, startedAt } = containerStatus(context.paths, record);
    if ((state !== "running" && state !== "paused") || startedAt === undefined) continue;
    found.set(id, { record, startedMs: startedAt.sec * 1000 + startedAt.nsec / 1e6 });
  }
  return found;
}

/** Checks every container that asks for it. */
export class HealthChecks implements Duty {
  readonly #engine: Engine;
  readonly #loops = new Map<string, { readonly startedMs: number; readonly end: AbortController }>();
  readonly #working = new Set<Promise<void>>();

  constructor(context: EngineContext) {
    this.#engine = new Engine(context);
  }

  get size(): number {
    return this.#loops.size;
  }

  sync(report: Report): Promise<void> {
    const runs = checkedRuns(this.#engine.context);
    for (const [id, { startedMs, end }] of this.#loops) {
      if (runs.get(id)?.startedMs === startedMs) continue;
      end.abort();
      this.#loops.delete(id);
    }
    for (const [id, run] of runs) if (!this.#loops.has(id)) this.#begin(id, run, report);
    return Promise.resolve();
  }

  #begin(id: string, run: Run, report: Report): void {
    const plan = healthPlan(run.record.health, run.record.shell);
    if (plan === undefined) return;
    const loop = { startedMs: run.startedMs, end: new AbortController() };
    this.#loops.set(id, loop);
    const work = follow(this.#engine, run, plan, loop.end.signal)
      .catch((error: unknown) => {
        if (!loop.end.signal.aborted) report(`health of container ${id}`, error);
      })
      .finally(() => {
        if (this.#loops.get(id) === loop) this.#loops.delete(id);
        this.#working.delete(work);
      });
    this.#working.add(work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { end } of this.#loops.values()) end.abort();
    await Promise.all(this.#working);
  }
}

/** Checks one run until it is over or `signal`. */
async function follow(engine: Engine, run: Run, plan: HealthPlan, signal: AbortSignal): Promise<void> {
  const { record, startedMs } = run;
  const dir = engine.dir(record);
  const ranMs = (): number => Date.now() - startedMs;
  for (;;) {
    await sleep(nextDelayMs(plan, readHealth(dir) ?? STARTING, ranMs()), undefined, { signal });
    const { state } = engine.status(record);
    if (state === "paused") continue;
    const check = state === "running" ? await probe(engine, record, plan, signal) : undefined;
    if (check === undefined || signal.aborted) return;
    const before = readHealth(dir);
    // Removed meanwhile.
    if (before === undefined) return;
    const after = judge(plan, before, check, ranMs());
    writeHealth(dir, after);
    if (after.status !== before.status) emitContainer(engine.context, record, `health_status: ${after.status}`);
    if (after.status === "unhealthy" && (await actOn(engine, record))) return;
  }
}
