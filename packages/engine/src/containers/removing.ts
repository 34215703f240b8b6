// A removal that was begun: a mark in the container's directory names the process that is at it, or why it failed. Then the container is
// `removing`, or `dead` when nobody is at it any more: it cannot be started, and `rm` begins again.
import { join } from "node:path";
import { errorCode, LapError } from "@lapstrake/base";
import { dirOf, dropContainer } from "../state/containers.ts";
import { writeFileAtomic } from "../state/atomic.ts";
import { readStored } from "../state/read-stored.ts";
import type { StorePaths } from "../state/layout.ts";
import type { ContainerRecord, ProcessId } from "../state/record.ts";
import { isAlive, thisProcess } from "./creator.ts";

const MARK = "removing";

interface Mark {
  readonly by?: ProcessId;
  readonly error?: string;
}

/** How a removal stands. */
export interface Removal {
  readonly state: "removing" | "dead";
  /** Why it failed; "" when its process was killed. */
  readonly error: string;
}

/** Undefined when nobody has begun to remove it. */
export function removalOf(dir: string): Removal | undefined {
  const mark = readMark(dir);
  if (mark === undefined) return undefined;
  return { state: mark.by !== undefined && isAlive(mark.by) ? "removing" : "dead", error: mark.error ?? "" };
}

function readMark(dir: string): Mark | undefined {
  const text = readStored(join(dir, MARK));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Mark;
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Does a part of a removal, after which the container is gone, or `dead` when that throws. The lock of the container is held. */
export async function whileRemoving(dir: string, work: () => Promise<void> | void): Promise<void> {
  mark(dir, { by: thisProcess() });
  try {
    await work();
  } catch (error) {
    mark(dir, { error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** A directory that is gone is removed; one that takes no mark (a full disk) is removed without. */
function mark(dir: string, value: Mark): void {
  try {
    writeFileAtomic(join(dir, MARK), JSON.stringify(value));
  } catch (error) {
    if (!["ENOENT", "ENOSPC", "EDQUOT"].includes(errorCode(error) ?? "")) throw error;
  }
}

/** {@link dropContainer} for whoever merely looks: what cannot be removed stays, as `dead`. True when it is gone. */
export function dropIfPossible(paths: StorePaths, record: ContainerRecord, warn: (text: string) => void): boolean {
  const dir = dirOf(paths, record);
  mark(dir, { by: thisProcess() });
  try {
    dropContainer(paths, record);
    return true;
  } catch (error) {
    mark(dir, { error: error instanceof Error ? error.message : String(error) });
    warn(`container ${record.id} is not removed: ${String(error)}`);
    return false;
  }
}

/** Throws `ERR_LAP_REMOVING` for a container whose removal was begun. */
export function refuseRemoved(dir: string): void {
  if (removalOf(dir) === undefined) return;
  const message = "container is marked for removal and cannot be started";
  throw new LapError("conflict", "ERR_LAP_REMOVING", message, { hint: "lap rm removes what is left of it" });
}
