// `rm`: only what does not run, unless forced; in Docker's words. And signals.
import { existsSync } from "node:fs";
import { control } from "@lapstrake/core";
import { LapError, errorCode } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { ownsNetwork } from "../network/mode.ts";
import { signalsFor } from "../sandbox/wasm-signals.ts";
import { dirOf, dropContainer } from "../state/containers.ts";
import { readRecord, type ContainerRecord } from "../state/record.ts";
import { emitContainer } from "../events/emit.ts";
import { hasRestartPolicy } from "../restart/state.ts";
import { ownsVolumes } from "../volumes/owns.ts";
import { cgroupOf } from "./bundle.ts";
import { cleanup } from "@lapstrake/core";
import { awaitLaunch } from "./launching.ts";
import { acquireLock } from "./lock.ts";
import { isReaped, reapContainer, releaseAnonymous } from "./reap.ts";
import { removalOf, whileRemoving } from "./removing.ts";
import { containerStatus, type State } from "./status.ts";

const SIGKILL = 9;
const POLL_MS = 5;
const FORCE_TIMEOUT_MS = 10_000;

/** What is done to remove a container. */
export interface RemoveOptions {
  /** Kill it when it runs. */
  readonly force?: boolean;
  /** Its anonymous volumes go too; those of `--rm` always do. */
  readonly volumes?: boolean;
}

/** Removes a container. Throws `ERR_LAP_CONTAINER_RUNNING` without `force`. */
export async function removeContainer(
  context: EngineContext,
  record: ContainerRecord,
  options: RemoveOptions = {},
): Promise<void> {
  let gone: ContainerRecord | undefined;
  // Somebody may start it between its end and the lock: then it is asked, or killed, again.
  while (gone === undefined) {
    await endForRemoval(context, record, options);
    gone = await dropStopped(context, record);
  }
  const takesVolumes = options.volumes === true || gone.autoRemove;
  if (takesVolumes && ownsVolumes(gone)) await releaseAnonymous(context, gone);
}

/** Resolves when it does not run; throws when it does and is not to be killed. */
async function endForRemoval(context: EngineContext, record: ContainerRecord, options: RemoveOptions): Promise<void> {
  // Whether a run that has just ended is the last one is decided when it is cleaned up.
  if (hasRestartPolicy(record)) await sayEnd(context, record);
  const { state } = containerStatus(context.paths, record);
  // Nobody knows whether a dead one runs, unless it is what a removal left.
  const isUnknown = state === "dead" && removalOf(dirOf(context.paths, record)) === undefined;
  const isBusy = isAlive(state) || state === "restarting" || isUnknown;
  if (isBusy && options.force !== true) throw stillRunning(record, state);
  await keepStopped(context, record);
  // Asked again: its policy may have started it meanwhile.
  if (isAlive(containerStatus(context.paths, record).state)) await killAndWait(context, record);
  await sayEnd(context, record);
}

/** Removes it under its lock; undefined when it was started meanwhile. */
async function dropStopped(context: EngineContext, known: ContainerRecord): Promise<ContainerRecord | undefined> {
  const dir = dirOf(context.paths, known);
  using lock = await acquireLock(dir);
  const record = (lock === undefined ? undefined : readRecord(dir)) ?? known;
  if (lock !== undefined) await awaitLaunch(context, record);
  if (lock !== undefined && isAlive(containerStatus(context.paths, record).state)) return undefined;
  const isThere = existsSync(dir);
  await whileRemoving(dir, () => dropAll(context, record));
  if (isThere) emitContainer(context, record, "destroy");
  return record;
}

async function dropAll(context: EngineContext, record: ContainerRecord): Promise<void> {
  const dir = dirOf(context.paths, record);
  if (record.runtime !== undefined) (await import("../sandbox/other-runtime-end.ts")).deleteFromRuntime(record, dir);
  cleanup(cgroupOf(record), record.id);
  if (ownsNetwork(record)) (await import("../network/attach.ts")).dropNetwork(context, record);
  dropContainer(context.paths, record);
}

function isAlive(state: State): boolean {
  return state === "running" || state === "paused";
}

async function killAndWait(context: EngineContext, record: ContainerRecord): Promise<void> {
  const deadline = Date.now() + FORCE_TIMEOUT_MS;
  await sendSignal(context, record, SIGKILL);
  while (isAlive(containerStatus(context.paths, record).state)) {
    if (Date.now() > deadline) {
      throw new LapError("unavailable", "ERR_LAP_KILL_TIMEOUT", `container ${record.id} does not end`, {
        hint: "a process in uninterruptible sleep keeps it; try again later",
      });
    }
    await context.clock.sleep(POLL_MS);
  }
}

/** A container that ended just now is cleaned up with its events, unless somebody was quicker; `--rm` may have removed it. */
async function sayEnd(context: EngineContext, record: ContainerRecord): Promise<void> {
  const { state, startedAt } = containerStatus(context.paths, record);
  if (state === "exited" && startedAt !== undefined && !isReaped(context, record)) await reapContainer(context, record);
}

/** The restart policy does not start it any more; true when it was about to. */
export async function keepStopped(context: EngineContext, record: ContainerRecord): Promise<boolean> {
  if (!hasRestartPolicy(record)) return false;
  const dir = dirOf(context.paths, record);
  using lock = await acquireLock(dir);
  return lock !== undefined && (await import("../restart/changes.ts")).noteStop(dir);
}

/** A signal that a person sends: what ends the container by it stays ended. Resolves after the end for SIGKILL. */
export async function killContainer(context: EngineContext, record: ContainerRecord, signal: number): Promise<void> {
  if (signal === SIGKILL || signal === record.process.stopSignal) await keepStopped(context, record);
  if (signal !== SIGKILL) return sendSignal(context, record, signal);
  await killAndWait(context, record);
  await sayEnd(context, record);
}

/** Sends a signal to the first process; an end in between is not an error. */
export async function sendSignal(context: EngineContext, record: ContainerRecord, signal: number): Promise<void> {
  try {
    await using connection = await control(dirOf(context.paths, record));
    emitContainer(context, record, "kill", { signal: String(signal) });
    for (const each of signalsFor(record, signal)) await connection.signal(each);
  } catch (error) {
    const code = errorCode(error);
    if (
      code !== "ENOENT" &&
      code !== "ERR_LAP_NOT_RUNNING" &&
      code !== "ECONNREFUSED" &&
      code !== "ECONNRESET" &&
      code !== "EPIPE"
    )
      throw error;
  }
}

function stillRunning(record: ContainerRecord, state: string): LapError {
  const advice = state === "paused" ? "Unpause and then stop" : "Stop";
  return new LapError(
    "conflict",
    "ERR_LAP_CONTAINER_RUNNING",
    `You cannot remove a ${state} container ${record.id}. ${advice} the container before attempting removal or force remove`,
  );
}
