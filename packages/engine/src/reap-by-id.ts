// The verb `_reap`: what a supervisor executes when its container ended and nobody in the foreground did the clean-up.
import { containerDir, readRecord } from "./state/record.ts";
import { reapContainer } from "./containers/reap.ts";
import { isContainerId } from "./state/ids.ts";
import type { Engine } from "./engine.ts";

/** Cleans up after the container, or after a process that was added to it; one that is gone already is no error. */
export async function reapById(engine: Engine, id: string, execId?: string): Promise<void> {
  const record = readRecord(containerDir(engine.context.paths.containers, id));
  if (record === undefined) return;
  if (execId === undefined) await reapContainer(engine.context, record);
  else if (isContainerId(execId)) (await import("./containers/exec.ts")).reapExec(engine.context, record, execId);
}
