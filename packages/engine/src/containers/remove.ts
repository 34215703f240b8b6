// `rm`: only what does not run, unless forced; in Docker's words.
import { control } from "@lapstrake/core";
import { LapError, errorCode } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { ownsNetwork } from "../network/mode.ts";
import { signalsFor } from "../sandbox/wasm-signals.ts";
import { dirOf, dropContainer } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { ownsVolumes } from "../volumes/owns.ts";
import { CGROUP_PARENT } from "./bundle.ts";
import { cleanup } from "@lapstrake/core";
import { containerStatus } from "./status.ts";

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
  const status = containerStatus(context.paths, record);
  if (status.state === "running" || status.state === "paused") {
    if (options.force !== true) throw stillRunning(record, status.state);
    await killAndWait(context, record);
  }
  cleanup(`${CGROUP_PARENT}/${record.id}`, record.id);
  if (ownsNetwork(record)) (await import("../network/attach.ts")).releaseNetwork(context, record);
  dropContainer(context.paths, record);
  const takesVolumes = options.volumes === true || record.autoRemove;
  if (takesVolumes && ownsVolumes(record)) {
    (await import("../volumes/release.ts")).releaseVolumes(context.paths, record);
  }
}

async function killAndWait(context: EngineContext, record: ContainerRecord): Promise<void> {
  const deadline = Date.now() + FORCE_TIMEOUT_MS;
  await sendSignal(context, record, SIGKILL);
  while (["running", "paused"].includes(containerStatus(context.paths, record).state)) {
    if (Date.now() > deadline) {
      throw new LapError("unavailable", "ERR_LAP_KILL_TIMEOUT", `container ${record.id} does not end`, {
        hint: "a process in uninterruptible sleep keeps it; try again later",
      });
    }
    await context.clock.sleep(POLL_MS);
  }
}

/** Sends a signal to the first process; an end in between is not an error. */
export async function sendSignal(context: EngineContext, record: ContainerRecord, signal: number): Promise<void> {
  try {
    await using connection = await control(dirOf(context.paths, record));
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
