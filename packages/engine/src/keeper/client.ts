// Asks the keeper for something, and starts one when there is none: whoever needs it does.
import { join } from "node:path";
import { LapError } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { ask, makeKeeperDir } from "./channel.ts";
import { startKeeper } from "./wake.ts";

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
