// After the end: what a container leaves on the machine goes away, once. Run by the foreground client, by `lap _reap` that the
// supervisor executes, or by whoever first notices a dead supervisor; so every step is idempotent.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanup } from "@lapstrake/core";
import { errorCode } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { ownsNetwork } from "../network/mode.ts";
import { dirOf, dropContainer } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { ownsVolumes } from "../volumes/owns.ts";
import { CGROUP_PARENT } from "./bundle.ts";
import { isOrphan } from "./creator.ts";
import { lockIfThere } from "./lock.ts";
import { containerStatus } from "./status.ts";

/** Present in the directory of a container whose last run was cleaned up. */
export const REAPED_MARK = "reaped";
const REAP_TIMEOUT_MS = 30_000;

/** Cleans up after an ended run and, with `--rm`, removes the container; one that runs again meanwhile is left alone. */
export async function reapContainer(context: EngineContext, record: ContainerRecord): Promise<void> {
  using lock = lockIfThere(dirOf(context.paths, record));
  if (lock !== undefined && runsAgain(context, record)) return;
  cleanup(`${CGROUP_PARENT}/${record.id}`, record.id);
  if (ownsNetwork(record)) (await import("../network/attach.ts")).dropNetwork(context, record);
  const isGone = forgetRun(context, record);
  if (isGone && ownsVolumes(record)) (await import("../volumes/release.ts")).releaseVolumes(context.paths, record);
}

/** The same for whoever merely looks and cannot wait; what needs the code of networks or volumes is done by a process of its own. */
export function reapNow(context: EngineContext, record: ContainerRecord): void {
  if (ownsNetwork(record) || ownsVolumes(record)) {
    const [program, ...args] = context.reapArgv;
    execFileSync(program!, [...args, record.id], { stdio: ["ignore", "ignore", "pipe"], timeout: REAP_TIMEOUT_MS });
    return;
  }
  using lock = lockIfThere(dirOf(context.paths, record));
  if (lock !== undefined && runsAgain(context, record)) return;
  cleanup(`${CGROUP_PARENT}/${record.id}`, record.id);
  forgetRun(context, record);
}

function runsAgain(context: EngineContext, record: ContainerRecord): boolean {
  return ["running", "paused"].includes(containerStatus(context.paths, record).state);
}

/** True when the container was removed. */
function forgetRun(context: EngineContext, record: ContainerRecord): boolean {
  if (record.autoRemove || isOrphan(record)) {
    dropContainer(context.paths, record);
    return true;
  }
  try {
    writeFileSync(join(dirOf(context.paths, record), REAPED_MARK), "");
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  return false;
}

/** True when the last run was cleaned up already. */
export function isReaped(context: EngineContext, record: ContainerRecord): boolean {
  return existsSync(join(dirOf(context.paths, record), REAPED_MARK));
}
