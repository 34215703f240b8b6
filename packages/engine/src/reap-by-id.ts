// The verb `_reap`: what a supervisor executes when its container ended and nobody in the foreground did the clean-up.
import { containerDir, readRecord } from "./state/record.ts";
import { reapContainer } from "./containers/reap.ts";
import type { Engine } from "./engine.ts";

/** Cleans up after the container; one that is gone already is no error. */
export async function reapById(engine: Engine, id: string): Promise<void> {
  const record = readRecord(containerDir(engine.context.paths.containers, id));
  if (record !== undefined) await reapContainer(engine.context, record);
}
