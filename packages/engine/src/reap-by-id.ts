// The verb `_reap`: what a supervisor executes when its container ended and nobody in the foreground did the clean-up, and what it starts
// when the kernel killed a process for want of memory.
import { containerDir, readRecord } from "./state/record.ts";
import { reapContainer } from "./containers/reap.ts";
import { isContainerId } from "./state/ids.ts";
import type { Engine } from "./engine.ts";

/** What a supervisor says at the end of its arguments (native/src/oom.c). */
const OOM = "oom";

/** Cleans up after the container, or after a process that was added to it; one that is gone already is no error. */
export async function reapById(engine: Engine, id: string, ...more: readonly string[]): Promise<void> {
  const record = readRecord(containerDir(engine.context.paths.containers, id));
  if (record === undefined) return;
  if (more.at(-1) === OOM) {
    (await import("./events/oom.ts")).emitOom(engine.context, record);
    return;
  }
  const [execId] = more;
  if (execId === undefined) await reapContainer(engine.context, record);
  else if (isContainerId(execId)) (await import("./containers/exec.ts")).reapExec(engine.context, record, execId);
}
