// After the end: what a container leaves on the machine goes away, once. Run by the foreground client, by `lap _reap` that the
// supervisor executes, or by whoever first notices a dead supervisor; so every step is idempotent.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanup } from "@lapstrake/core";
import { errorCode, type Timespec } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { ownsNetwork } from "../network/mode.ts";
import { emitPseudoNetwork } from "../network/pseudo-network.ts";
import { tellKeeper } from "../keeper/wake.ts";
import { dirOf } from "../state/containers.ts";
import { emitContainer } from "../events/emit.ts";
import { emitOom } from "../events/oom.ts";
import { emitMounts, emitVolume } from "../events/volume-events.ts";
import { hasRestartPolicy } from "../restart/state.ts";
import { readRecord, type ContainerRecord } from "../state/record.ts";
import { ownsVolumes } from "../volumes/owns.ts";
import { cgroupOf } from "./bundle.ts";
import { isOrphan } from "./creator.ts";
import { acquireLock, lockIfThere } from "./lock.ts";
import { dropIfPossible } from "./removing.ts";
import { containerStatus, type ContainerStatus } from "./status.ts";

/** Present in the directory of a container whose last run was cleaned up. */
export const REAPED_MARK = "reaped";
const REAP_TIMEOUT_MS = 30_000;
const LATE_SEC = 1;

/** Cleans up after an ended run; with `--rm` removes the container, with a restart policy has it started again. One that runs again meanwhile is left alone. */
export async function reapContainer(context: EngineContext, record: ContainerRecord): Promise<void> {
  if (await settleRun(context, record)) await tellKeeper(context);
}

/** True when the container waits for its next start. */
async function settleRun(context: EngineContext, known: ContainerRecord): Promise<boolean> {
  const dir = dirOf(context.paths, known);
  using lock = await acquireLock(dir);
  const record = (lock === undefined ? undefined : readRecord(dir)) ?? known;
  if (lock !== undefined && isSettled(context, record)) return false;
  const status = lock === undefined ? undefined : sayEnd(context, record);
  if (record.runtime !== undefined) (await import("../sandbox/other-runtime-end.ts")).deleteFromRuntime(record, dir);
  cleanup(cgroupOf(record), record.id);
  if (ownsNetwork(record)) (await import("../network/attach.ts")).dropNetwork(context, record);
  if (status !== undefined && record.mounts !== undefined) emitMounts(context, record, "unmount");
  if (record.request.log?.driver === "journald")
    await (await import("../logs/forward.ts")).forwardRest(context, dir, record);
  const restarts =
    status !== undefined && hasRestartPolicy(record)
      ? (await import("../restart/changes.ts")).planRestart(dir, record, status)
      : false;
  const isGone = forgetRun(context, record);
  if (isGone && ownsVolumes(record)) await releaseAnonymous(context, record);
  return restarts;
}

/** Volumes that nobody named go with their container. */
export async function releaseAnonymous(context: EngineContext, record: ContainerRecord): Promise<void> {
  const { releaseVolumes } = await import("../volumes/release.ts");
  for (const name of releaseVolumes(context.paths, record)) emitVolume(context, "destroy", name);
}

/** The same for whoever merely looks and cannot wait; what needs more code is done by a process of its own. */
export function reapNow(context: EngineContext, record: ContainerRecord): void {
  if (needsProcess(record)) {
    const [program, ...args] = context.reapArgv;
    execFileSync(program!, [...args, record.id], { stdio: ["ignore", "ignore", "pipe"], timeout: REAP_TIMEOUT_MS });
    return;
  }
  using lock = lockIfThere(dirOf(context.paths, record));
  if (lock !== undefined && isSettled(context, record)) return;
  if (lock !== undefined) sayEnd(context, record);
  cleanup(cgroupOf(record), record.id);
  forgetRun(context, record);
}

function needsProcess(record: ContainerRecord): boolean {
  if (record.runtime !== undefined || record.request.log?.driver === "journald") return true;
  return ownsNetwork(record) || ownsVolumes(record) || hasRestartPolicy(record);
}

/** It runs (again), or somebody was here before. */
function isSettled(context: EngineContext, record: ContainerRecord): boolean {
  const { state } = containerStatus(context.paths, record);
  if (state === "running" || state === "paused") return true;
  return isReaped(context, record) && !record.autoRemove && !isOrphan(record);
}

/** The events of an end; a program that never ran has none. */
function sayEnd(context: EngineContext, record: ContainerRecord): ContainerStatus {
  const status = containerStatus(context.paths, record);
  if (status.startedAt === undefined) return status;
  if (status.oomKilled) emitOom(context, record);
  emitContainer(context, record, "die", { exitCode: String(status.exitCode) }, lateTime(context, status));
  emitPseudoNetwork(context, record, "disconnect");
  return status;
}

/** When it ended, if that was a while ago and nobody was there to say so: events that follow one another have times that do. */
function lateTime({ clock }: EngineContext, { finishedAt }: ContainerStatus): Timespec | undefined {
  return finishedAt !== undefined && clock.now().sec - finishedAt.sec > LATE_SEC ? finishedAt : undefined;
}

/** True when the container was removed. */
function forgetRun(context: EngineContext, record: ContainerRecord): boolean {
  const dir = dirOf(context.paths, record);
  if (record.autoRemove || isOrphan(record)) {
    const isThere = existsSync(dir);
    const isGone = dropIfPossible(context.paths, record, (text) => context.logger.warn(text));
    if (isThere && isGone) emitContainer(context, record, "destroy");
    return isGone;
  }
  try {
    writeFileSync(join(dir, REAPED_MARK), "");
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  return false;
}

/** True when the last run was cleaned up already. */
export function isReaped(context: EngineContext, record: ContainerRecord): boolean {
  return existsSync(join(dirOf(context.paths, record), REAPED_MARK));
}
