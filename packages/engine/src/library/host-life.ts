// The life of a held container: started on a leash, cleaned up after in this process when it has ended, removed at the end of its scope.
import { control, signalName, type Attachment, type ExitStatus } from "@lapstrake/core";
import { errorCode, isLapError } from "@lapstrake/base";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import { abortable } from "./abort.ts";
import type { BoxExit } from "./types.ts";

const SIGKILL = 9;
const POLL_MS = 5;
const ALIVE: readonly string[] = ["running", "paused", "restarting"];
const NOBODY: readonly string[] = ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"];

/** One run of a held container. */
export interface HeldRun {
  readonly attachment: Attachment;
  /** Settles when it was cleaned up after. */
  readonly over: Promise<BoxExit>;
}

/** Starts it, its life tied to this process. */
export async function startHeld(engine: Engine, record: ContainerRecord): Promise<HeldRun> {
  const { attachment } = await engine.start(record, {
    attach: { stdin: false, stdout: false, stderr: false },
    foreground: true,
    leashed: true,
  });
  const over = cleanedUp(engine, record, attachment!);
  // Whoever waits for the end is told.
  over.catch(() => undefined);
  return { attachment: attachment!, over };
}

async function cleanedUp(engine: Engine, record: ContainerRecord, attachment: Attachment): Promise<BoxExit> {
  const status = await attachment.exited;
  await engine.reap(record);
  attachment.reaped();
  return exitOf(status);
}

/** Ends the run if there is one, and removes the container. One that is gone already is no error. */
export async function removeHeld(engine: Engine, record: ContainerRecord, run: HeldRun | undefined): Promise<void> {
  run?.attachment.signal(SIGKILL);
  await run?.over;
  try {
    // Found anew: a fork may have changed what it is made of.
    await engine.remove(engine.find(record.id), { force: true });
  } catch (error) {
    if (!isLapError(error, "notFound")) throw error;
  }
}

/** Resolves when the container does not run; for those that this process did not start. */
export async function waitEnded(
  engine: Engine,
  record: ContainerRecord,
  signal: AbortSignal | undefined,
): Promise<BoxExit> {
  let last: BoxExit | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const { state, exitCode, oomKilled } = engine.status(record);
    if (!ALIVE.includes(state)) {
      if (last !== undefined) return last;
      // One that was removed reads as never started.
      engine.find(record.id);
      return { exitCode, oomKilled, signal: undefined };
    }
    last = (await endOfRun(engine, record, signal)) ?? last;
    await sleep(POLL_MS);
  }
}

/** Undefined when its supervisor is gone before it could say. */
async function endOfRun(
  engine: Engine,
  record: ContainerRecord,
  signal: AbortSignal | undefined,
): Promise<BoxExit | undefined> {
  try {
    await using connection = await control(engine.dir(record));
    return exitOf(await abortable(connection.wait(), signal));
  } catch (error) {
    if (signal?.aborted === true || !NOBODY.includes(errorCode(error) ?? "")) throw error;
    return undefined;
  }
}

function exitOf({ exitCode, signal, oomKilled }: ExitStatus): BoxExit {
  return { exitCode, oomKilled, signal: signal === undefined ? undefined : signalName(signal) };
}
