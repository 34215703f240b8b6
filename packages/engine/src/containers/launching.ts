// A start whose caller was killed half-way goes on by itself: the helper has the container's socket from its first steps on, and needs
// nobody to come to its end. Whoever holds the container's lock next waits for it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { control } from "@lapstrake/core";
import { errorCode, isLapError } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { containerStatus } from "./status.ts";

const TIMEOUT_MS = 10_000;
const STEP_MS = 5;

/** Resolves when no helper is about to start the container; the socket is nearly always absent, and then this costs one look. */
export async function awaitLaunch(context: EngineContext, record: ContainerRecord): Promise<void> {
  const dir = dirOf(context.paths, record);
  const deadline = Date.now() + TIMEOUT_MS;
  while (existsSync(join(dir, "ctl.sock")) && Date.now() < deadline) {
    const { state } = containerStatus(context.paths, record);
    if (state === "running" || state === "paused" || !(await answers(dir))) return;
    await context.clock.sleep(STEP_MS);
  }
}

async function answers(dir: string): Promise<boolean> {
  try {
    await using _connection = await control(dir);
    return true;
  } catch (error) {
    if (isLapError(error) || errorCode(error) === "EPIPE") return false;
    throw error;
  }
}
