// `lap system stop`, the counterpart of `lap system start`: every container ends by its own stop signal and time, those that start with the
// machine are remembered as such, and the keeper leaves. Networks stay; the next start of a container, or of the store, finds them.
import { acquireLock } from "../containers/lock.ts";
import { endByStages } from "../containers/stop.ts";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import { hasKeeper } from "../keeper/wake.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { BootResult } from "./boot.ts";
import { noteHalt } from "./changes.ts";
import { hasRestartPolicy } from "./state.ts";

/** A keeper without work leaves well within this. */
const KEEPER_MS = 15_000;
const STEP_MS = 50;

/** Stops everything that runs or waits for its next start, all at once; one that does not end keeps no other from it. Idempotent. */
export async function stopStore(engine: Engine, options: { readonly timeoutSec?: number } = {}): Promise<BootResult[]> {
  const { context } = engine;
  const busy = engine.list().filter(({ status: { state } }) => ["running", "paused", "restarting"].includes(state));
  const results = await Promise.all(
    busy.map(async ({ record }) => {
      try {
        await halt(engine, record, options);
        return { record, error: undefined };
      } catch (error) {
        return { record, error };
      }
    }),
  );
  for (const end = Date.now() + KEEPER_MS; hasKeeper(context) && Date.now() < end;) await context.clock.sleep(STEP_MS);
  return results;
}

async function halt(engine: Engine, record: ContainerRecord, options: { readonly timeoutSec?: number }): Promise<void> {
  if (hasRestartPolicy(record)) {
    using lock = await acquireLock(engine.dir(record));
    if (lock !== undefined) noteHalt(engine.dir(record));
  }
  if (["running", "paused"].includes(engine.status(record).state)) await endByStages(engine, record, options);
  emitContainer(engine.context, record, "stop");
}
