// Listing: records with their present state. Whoever looks settles what a killed supervisor left.
import type { EngineContext } from "../context.ts";
import { wakeKeeper, wantsKeeper } from "../keeper/wake.ts";
import { ownsNetwork } from "../network/mode.ts";
import { isChecked, readHealth, type HealthStatus } from "../health/state.ts";
import { hasRestartPolicy } from "../restart/state.ts";
import { dirOf, listReadable } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { sweepTrash } from "../state/trash.ts";
import { isAbandoned, isOrphan } from "./creator.ts";
import { isReaped, reapNow } from "./reap.ts";
import { dropIfPossible } from "./removing.ts";
import { containerStatus, type ContainerStatus } from "./status.ts";

/** A reaper that was started is done well within this. */
const REAP_GRACE_MS = 3_000;

/** One container of a listing. */
export interface ContainerSummary {
  readonly record: ContainerRecord;
  readonly status: ContainerStatus;
  /** Of one that is checked and runs. */
  readonly health?: HealthStatus;
}

/** Every container, newest first. */
export function summaries(context: EngineContext): ContainerSummary[] {
  sweepTrash(context.paths, undefined, (name, error) => {
    context.logger.warn(`"${name}" stays in the trash: ${String(error)}`);
  });
  const found = listReadable(context.paths, ({ message }) => context.logger.warn(message)).flatMap((record) => {
    const status = settledStatus(context, record);
    if (status === undefined) return [];
    const isWatched = status.pid > 0 && record.health !== undefined && isChecked(record);
    return [{ record, status, ...(isWatched ? { health: healthStatus(context, record) } : {}) }];
  });
  // A killed one is back before anybody misses it, unless what brings it back was killed too.
  if (found.some(({ record, status }) => status.pid > 0 && wantsKeeper(record))) wakeKeeper(context);
  return found;
}

function healthStatus(context: EngineContext, record: ContainerRecord): HealthStatus {
  return readHealth(dirOf(context.paths, record))?.status ?? "starting";
}

/** Present status; undefined when the container went away (`--rm` after a lost supervisor). */
export function settledStatus(context: EngineContext, record: ContainerRecord): ContainerStatus | undefined {
  const status = containerStatus(context.paths, record);
  if (isAbandoned(record, status.state)) {
    if (ownsNetwork(record) || status.state === "exited") return didReap(context, record) ? undefined : status;
    dropIfPossible(context.paths, record, (text) => context.logger.warn(text));
    return undefined;
  }
  // The keeper has its clock; the one that was told may have been killed.
  if (status.state === "restarting") wakeKeeper(context);
  if (!isForgotten(context, record, status)) return status;
  if (!didReap(context, record)) return status;
  if (record.autoRemove || isOrphan(record)) return undefined;
  return hasRestartPolicy(record) ? containerStatus(context.paths, record) : status;
}

/** Who looks is not to fail for what cannot be cleaned up now, on a full disk for one: the next to look tries again. */
function didReap(context: EngineContext, record: ContainerRecord): boolean {
  try {
    reapNow(context, record);
    return true;
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).trimEnd().split("\n");
    context.logger.warn(`container ${record.name} is not cleaned up after its end: ${lines.at(-1)}`);
    return false;
  }
}

/** True when nobody is left to clean up after the last run. */
function isForgotten(context: EngineContext, record: ContainerRecord, status: ContainerStatus): boolean {
  if (status.state !== "exited" || isReaped(context, record)) return false;
  if (status.supervisorLost) return true;
  // Whoever was about to do it has had the time.
  return Date.now() - (status.finishedAt?.sec ?? 0) * 1000 > REAP_GRACE_MS;
}
