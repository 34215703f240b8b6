// What a container is doing now, from the supervisor's status record, in Docker's states.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { observeStatus, type StatusRecord } from "@lapstrake/core";
import { errorCode, type Timespec } from "@lapstrake/base";
import { dirOf } from "../state/containers.ts";
import { isRestarting } from "../restart/state.ts";
import { removalOf } from "./removing.ts";
import type { StorePaths } from "../state/layout.ts";
import type { ContainerRecord } from "../state/record.ts";

/** Docker's container states. */
export type State = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** A container's present state. Times are undefined until they happened. */
export interface ContainerStatus {
  readonly state: State;
  /** Of the last run; 0 before the first. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** The supervisor was killed, so the true status is unknown. */
  readonly supervisorLost: boolean;
  readonly pid: number;
  readonly startedAt: Timespec | undefined;
  readonly finishedAt: Timespec | undefined;
  readonly error: string;
}

const STATUS = "status";
const INVALID = "ERR_LAP_STATUS_INVALID";
const DAMAGE = new Set([INVALID, "EIO", "EISDIR"]);

const CREATED: ContainerStatus = {
  state: "created",
  exitCode: 0,
  oomKilled: false,
  supervisorLost: false,
  pid: 0,
  startedAt: undefined,
  finishedAt: undefined,
  error: "",
};

/** Reads and, when the supervisor is gone, settles the status; a damaged one is `dead`, as is what a broken removal left. */
export function containerStatus(paths: StorePaths, record: ContainerRecord): ContainerStatus {
  const dir = dirOf(paths, record);
  const status = runStatus(dir, record);
  const removal = status.pid > 0 ? undefined : removalOf(dir);
  return removal === undefined ? status : { ...status, ...removal };
}

/** What the last run is, or was. */
function runStatus(dir: string, record: ContainerRecord): ContainerStatus {
  if (!existsSync(`${dir}/${STATUS}`)) return CREATED;
  const status = observed(dir);
  if (status === undefined) return CREATED;
  if (typeof status === "string") return { ...CREATED, state: "dead", error: status };
  const found = fromRecord(status);
  return found.state === "exited" && isRestarting(dir, record, found.startedAt)
    ? { ...found, state: "restarting" }
    : found;
}

/** What the supervisor wrote, or what is wrong with it. */
function observed(dir: string): StatusRecord | string | undefined {
  try {
    return observeStatus(dir);
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (!DAMAGE.has(code)) throw error;
    return `${code === INVALID ? "damaged status record" : `${code}: cannot read`} "${join(dir, STATUS)}"`;
  }
}

function fromRecord(status: StatusRecord): ContainerStatus {
  const { state, exitCode, oomKilled, supervisorLost, startedAt, finishedAt, error } = status;
  const isAlive = state === "running" || state === "paused";
  return { state, exitCode, oomKilled, supervisorLost, startedAt, finishedAt, error, pid: isAlive ? status.pid : 0 };
}
