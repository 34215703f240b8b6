// `update`: limits and the restart policy of a container that exists, at once if it runs and at every later start.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, isLapError, LapError, type ResourcesSpec, type RuntimeSpec } from "@lapstrake/base";
import { control, updateResources } from "@lapstrake/core";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import { checkRestartPolicy } from "../restart/policy.ts";
import { FIRST_STATE, hasRestartPolicy, readRestart, writeRestart } from "../restart/state.ts";
import { readRecord, writeRecord, type ContainerRecord } from "../state/record.ts";
import { acquireLock } from "./lock.ts";
import type { CreateRequest } from "./request.ts";
import { checkLimits, limitResources } from "./resources.ts";
import { SPEC_FILE } from "./bundle.ts";
import { containerStatus } from "./status.ts";

/** What can be changed. */
export type ContainerChanges = Pick<
  CreateRequest,
  | "memoryBytes"
  | "memorySwapBytes"
  | "memoryReservationBytes"
  | "pidsLimit"
  | "cpus"
  | "cpuShares"
  | "cpuPeriodUs"
  | "cpuQuotaUs"
  | "cpuRtPeriodUs"
  | "cpuRtRuntimeUs"
  | "cpusetCpus"
  | "cpusetMems"
  | "blkioWeight"
  | "restart"
>;

/** Changes a container. Throws `ERR_LAP_UPDATE`, `ERR_LAP_RESTART_POLICY`, and what limits can be wrong about; then nothing is changed. */
export async function updateContainer(
  engine: Engine,
  known: ContainerRecord,
  changes: ContainerChanges,
): Promise<void> {
  const { context } = engine;
  const dir = engine.dir(known);
  if (changes.restart !== undefined) checkRestart(known, changes);
  using lock = await acquireLock(dir);
  const record = lock === undefined ? undefined : readRecord(dir);
  if (record === undefined) throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `No such container: ${known.id}`);
  const request = { ...record.request, ...changes };
  checkTogether(record.request, changes);
  checkLimits(request);
  const { state } = containerStatus(context.paths, record);
  const isRunning = state === "running" || state === "paused";
  if (isRunning) applyNow(record, dir, changes, request);
  writeRecord(dir, { ...record, request });
  if (changes.restart !== undefined) settleRestart(dir, changes.restart.name === "no");
  if (isRunning && changes.restart !== undefined && hasRestartPolicy({ ...record, request })) await guardNow(dir);
  emitContainer(context, record, "update");
}

function checkRestart({ autoRemove }: ContainerRecord, { restart }: ContainerChanges): void {
  if (checkRestartPolicy(restart!).name === "no" || !autoRemove) return;
  const message = "Restart policy cannot be updated because AutoRemove is enabled for the container";
  throw new LapError("invalidArgument", "ERR_LAP_UPDATE", message);
}

/** What was set before stands in the way of some changes, in docker's words. */
function checkTogether(before: CreateRequest, changes: ContainerChanges): void {
  const wrong = (message: string): LapError => new LapError("invalidArgument", "ERR_LAP_UPDATE", message);
  if (changes.cpuPeriodUs !== undefined && before.cpus !== undefined)
    throw wrong("Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set");
  if (changes.cpuQuotaUs !== undefined && before.cpus !== undefined)
    throw wrong("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set");
  if (changes.cpus !== undefined && before.cpuQuotaUs !== undefined)
    throw wrong("Conflicting options: NanoCPUs cannot be updated as CPU Quota has already been set");
  if (changes.cpus !== undefined && before.cpuPeriodUs !== undefined)
    throw wrong("Conflicting options: NanoCPUs cannot be updated as CPU Period has already been set");
  const swap = changes.memorySwapBytes ?? before.memorySwapBytes;
  if (changes.memoryBytes !== undefined && swap !== undefined && swap > 0 && changes.memoryBytes > swap)
    throw wrong(
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    );
}

/** Only what changes is written, and what follows from it. */
function applyNow(record: ContainerRecord, dir: string, changes: ContainerChanges, request: CreateRequest): void {
  if (record.kind === "wasm") {
    throw new LapError("unimplemented", "ERR_LAP_UPDATE", "limits of a Wasm container that runs cannot be changed", {
      hint: "stop it first",
    });
  }
  const { restart: _restart, ...limits } = changes;
  if (Object.keys(limits).length === 0) return;
  const spec = JSON.parse(readFileSync(join(dir, SPEC_FILE), "utf8")) as RuntimeSpec;
  const { memory, cpu, blockIO, pids } = limitResources(limits);
  const swap = limitResources(request).memory?.swap;
  const resources: ResourcesSpec = {
    ...(memory === undefined ? {} : { memory: { ...memory, ...(swap === undefined ? {} : { swap }) } }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(blockIO === undefined ? {} : { blockIO }),
    ...(pids === undefined ? {} : { pids }),
  };
  updateResources(spec.linux?.cgroupsPath, record.id, resources);
}

/** From now on a killed supervisor is noticed at once; one that ended meanwhile, or is older than this, has to be looked at. */
async function guardNow(dir: string): Promise<void> {
  try {
    await using connection = await control(dir);
    await connection.guard();
  } catch (error) {
    const code = errorCode(error);
    if (code !== "EPIPE" && code !== "ECONNRESET" && !isLapError(error)) throw error;
  }
}

/** A container that waits for its next start stays as it is when its policy is taken away. */
function settleRestart(dir: string, isNone: boolean): void {
  const { dueMs, ...state } = readRestart(dir);
  if (isNone) writeRestart(dir, FIRST_STATE);
  else writeRestart(dir, { ...state, stopped: false, ...(dueMs === undefined ? {} : { dueMs }) });
}
