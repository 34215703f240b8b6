// Changes to a container that exists: pause, unpause, rename.
import { control } from "@lapstrake/core";
import { LapError } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import { ownsNetwork } from "../network/mode.ts";
import { checkContainerName } from "../state/ids.ts";
import { claimName, releaseName } from "../state/names.ts";
import { writeRecord, type ContainerRecord } from "../state/record.ts";
import { lockedIn } from "./lock.ts";

/** Freezes every process. Throws `ERR_LAP_PAUSED`, `ERR_LAP_NOT_RUNNING`. */
export async function pauseContainer(engine: Engine, record: ContainerRecord): Promise<void> {
  const { state } = engine.status(record);
  if (state === "paused") throw new LapError("conflict", "ERR_LAP_PAUSED", `Container ${record.id} is already paused`);
  if (state !== "running") throw notRunning(record);
  await using connection = await control(engine.dir(record));
  await connection.pause();
  emitContainer(engine.context, record, "pause");
}

/** Lets them go on. Throws `ERR_LAP_NOT_PAUSED`. */
export async function unpauseContainer(engine: Engine, record: ContainerRecord): Promise<void> {
  if (engine.status(record).state !== "paused") {
    throw new LapError("conflict", "ERR_LAP_NOT_PAUSED", `Container ${record.id} is not paused`);
  }
  await using connection = await control(engine.dir(record));
  await connection.resume();
  emitContainer(engine.context, record, "unpause");
}

/** Gives a container another name; the old one is free afterwards. Throws `ERR_LAP_NAME_TAKEN`. */
export async function renameContainer(engine: Engine, record: ContainerRecord, to: string): Promise<void> {
  const name = checkContainerName(to);
  if (name === record.name) {
    const text = "Renaming a container with the same name as its current name";
    throw new LapError("invalidArgument", "ERR_LAP_NAME_SAME", text);
  }
  const { paths } = engine.context;
  using _lock = await lockedIn(engine.dir(record), record);
  try {
    claimName(paths, name, record.id);
  } catch (error) {
    if (!(error instanceof LapError)) throw error;
    throw new LapError(error.kind, error.code, `Error when allocating new name: ${error.message}`);
  }
  writeRecord(engine.dir(record), { ...record, name });
  releaseName(paths, record.name, record.id);
  if (ownsNetwork(record)) (await import("../network/attach.ts")).networksOf(engine.context).rename(record.id, name);
  emitContainer(engine.context, { ...record, name }, "rename", { oldName: `/${record.name}` });
}

function notRunning(record: ContainerRecord): LapError {
  return new LapError("conflict", "ERR_LAP_NOT_RUNNING", `Container ${record.id} is not running`);
}
