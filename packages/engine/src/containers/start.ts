// Starting, under the container's lock: whether it may start, and who is told. start-kind.ts makes the bundle, launch-bundle.ts its process.
import type { Launched } from "@lapstrake/core";
import { LapError } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { emitContainer } from "../events/emit.ts";
import { emitMounts } from "../events/volume-events.ts";
import { isChecked, STARTING, writeHealth } from "../health/state.ts";
import { asksLog, tellKeeper } from "../keeper/wake.ts";
import { emitPseudoNetwork } from "../network/pseudo-network.ts";
import { hasRestartPolicy, isWaiting, readRestart } from "../restart/state.ts";
import { dirOf } from "../state/containers.ts";
import { readRecord, type ContainerRecord } from "../state/record.ts";
import type { StartOptions } from "./bundle.ts";
import type { DebugSink } from "./launch-bundle.ts";
import { awaitLaunch } from "./launching.ts";
import { acquireLock } from "./lock.ts";
import { isReaped, reapContainer } from "./reap.ts";
import { refuseRemoved } from "./removing.ts";
import { startAsCan } from "./start-kind.ts";
import { containerStatus } from "./status.ts";

/** Starts a created or exited container; resolves when its program runs. Throws `ERR_LAP_ALREADY_RUNNING` and launch errors. */
export async function startContainer(
  context: EngineContext,
  known: ContainerRecord,
  options: StartOptions = {},
  debug?: DebugSink,
): Promise<Launched> {
  const dir = dirOf(context.paths, known);
  await settleLast(context, known);
  using lock = await acquireLock(dir);
  if (lock === undefined) throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `No such container: ${known.id}`);
  // A fork may have changed what it is made of, an update what it may use.
  const record = readRecord(dir) ?? known;
  await awaitLaunch(context, record);
  refuseRemoved(dir);
  const { state, error } = containerStatus(context.paths, record);
  if (state === "dead") throw isDead(record, error);
  if (state === "running" || state === "paused") {
    throw new LapError("conflict", "ERR_LAP_ALREADY_RUNNING", `container ${record.id} is already running`);
  }
  if (hasRestartPolicy(record)) (await import("../restart/changes.ts")).noteStart(dir, record);
  // Awaited here: the lock is held until the program runs.
  return await startLocked(context, record, options, debug);
}

function isDead({ id }: ContainerRecord, error: string): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_CONTAINER_DEAD", `container ${id} is dead: ${error}`, {
    hint: "lap system check --repair mends it when it does not run; lap rm -f removes it",
  });
}

/** The start of a restart policy: only while the container still waits for `dueMs`. */
export async function startAgain(context: EngineContext, known: ContainerRecord, dueMs: number): Promise<void> {
  const dir = dirOf(context.paths, known);
  using lock = await acquireLock(dir);
  const record = lock === undefined ? undefined : readRecord(dir);
  if (record === undefined) return;
  await awaitLaunch(context, record);
  const { state, startedAt } = containerStatus(context.paths, record);
  const waits = readRestart(dir);
  if (waits.dueMs !== dueMs) return;
  if (state === "restarting") await startLocked(context, record, {}, undefined);
  // It runs because of the next start that was asked for: then that is to come yet.
  else if (isWaiting(waits, startedAt)) return;
  // Last: whoever is killed before leaves it waiting.
  (await import("../restart/changes.ts")).noteRestart(dir);
}

/** Who starts a container that has just ended may be quicker than who cleans up after it. */
async function settleLast(context: EngineContext, record: ContainerRecord): Promise<void> {
  const { state } = containerStatus(context.paths, record);
  if (state === "exited" && !isReaped(context, record)) await reapContainer(context, record);
}

async function startLocked(
  context: EngineContext,
  record: ContainerRecord,
  options: StartOptions,
  debug: DebugSink | undefined,
): Promise<Launched> {
  if (options.attach !== undefined) emitContainer(context, record, "attach");
  // Before: whoever sees it run sees that it is not healthy yet.
  if (record.health !== undefined && isChecked(record)) writeHealth(dirOf(context.paths, record), STARTING);
  const launched = await startAsCan(context, record, options, debug);
  emitPseudoNetwork(context, record, "connect");
  if (record.mounts !== undefined) emitMounts(context, record, "mount");
  emitContainer(context, record, "start");
  if ((record.health !== undefined && isChecked(record)) || asksLog(record)) await tellKeeper(context);
  return launched;
}
