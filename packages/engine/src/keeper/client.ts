// Asks the keeper for something, and starts one when there is none: whoever needs it does.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { isLapError, LapError } from "@lapstrake/base";
import { lockFile } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { ask, makeKeeperDir } from "./channel.ts";

/** A keeper that starts answers well within this. */
const TIMEOUT_MS = 15_000;
const STEP_MS = 5;
/** Another one is started when the first says nothing for so long: it may have been on its way out. */
const RESTART_MS = 2_000;

/** Resolves when the names of a container's networks are answered in it. Throws `ERR_LAP_KEEPER`. */
export async function serveContainer(context: EngineContext, id: string): Promise<void> {
  const answer = await askStarting(context, `serve ${id}`);
  if (answer === "ok") return;
  throw new LapError("unavailable", "ERR_LAP_KEEPER", `the keeper cannot serve container ${id}: ${answer}`, {
    hint: `see ${join(makeKeeperDir(context.paths.root), "log")}`,
  });
}

/** Starts a keeper unless one is at work, and does not wait for it: it reads what there is to do from the records. */
export function wakeKeeper(context: EngineContext): void {
  try {
    using _free = lockFile(join(makeKeeperDir(context.paths.root), "lock"), 0);
  } catch (error) {
    if (isLapError(error) && error.code === "ERR_LAP_LOCKED") return;
    throw error;
  }
  startKeeper(context);
}

async function askStarting(context: EngineContext, line: string): Promise<string> {
  const begin = Date.now();
  let started = -Infinity;
  for (;;) {
    const answer = await ask(context.paths.root, line);
    if (answer !== undefined) return answer;
    const now = Date.now();
    if (now - begin > TIMEOUT_MS) return "it does not start";
    if (now - started > RESTART_MS) {
      startKeeper(context);
      started = now;
    }
    await context.clock.sleep(STEP_MS);
  }
}

/** Starts the program on its own: it outlives its caller, and one that finds another at work leaves. */
function startKeeper(context: EngineContext): void {
  const log = openSync(join(makeKeeperDir(context.paths.root), "log"), "a", 0o600);
  try {
    const [program, ...args] = context.keeperArgv;
    const child = spawn(program!, args, { detached: true, cwd: "/", stdio: ["ignore", log, log] });
    // A program that cannot be started shows in the silence of the socket.
    child.on("error", () => undefined);
    child.unref();
  } finally {
    closeSync(log);
  }
}
