// What is done about a container that is unhealthy, if its request says so: kill it, stop it, or stop it and have it started again.
import { acquireLock } from "../containers/lock.ts";
import { sendSignal } from "../containers/remove.ts";
import { endByStages, stopContainer } from "../containers/stop.ts";
import type { Engine } from "../engine.ts";
import { readRestart, writeRestart } from "../restart/state.ts";
import type { ContainerRecord } from "../state/record.ts";

const SIGKILL = 9;

/** True when the run is over by it. */
export async function actOn(engine: Engine, record: ContainerRecord): Promise<boolean> {
  switch (record.request.healthOnFailure ?? "none") {
    case "none":
      return false;
    case "kill":
      // Not by a person: a restart policy applies.
      await sendSignal(engine.context, record, SIGKILL);
      return true;
    case "stop":
      await stopContainer(engine, record);
      return true;
    case "restart":
      await restartUnhealthy(engine, record);
      return true;
  }
}

/** The next start is written down before the end: a keeper that is killed in between leaves it to the next. */
async function restartUnhealthy(engine: Engine, record: ContainerRecord): Promise<void> {
  const dir = engine.dir(record);
  {
    using lock = await acquireLock(dir);
    if (lock === undefined) return;
    const state = readRestart(dir);
    // A person is stopping it.
    if (state.stopped) return;
    writeRestart(dir, { ...state, count: state.count + 1, stopped: false, dueMs: Date.now() });
  }
  await endByStages(engine, record, {});
}
