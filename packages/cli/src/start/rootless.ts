// `lap` of a user without privilege who has a range of ids: the command goes on inside a user namespace with all of them, the
// same process, before it touches the store. Without a range it stays outside, and containers have the one id of the user.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { becomeMapped, mappedProgram, observeStatus } from "@lapstrake/core";
import { defaultRoot, joinHolders } from "@lapstrake/engine";
import type { GlobalOptions } from "../args/types.ts";

/** Commands that join a container from outside: its namespaces answer to the user who made them, not to a sibling's root. */
const OUTSIDE: ReadonlySet<string> = new Set(["exec", "container exec", "doctor", "version"]);

/** Comes back only where the command stays as it is. */
export function enterIds(command: string, global: GlobalOptions): void {
  if (OUTSIDE.has(command)) return;
  const root = global.root ?? defaultRoot();
  // A store of one id keeps it: its files are all the user's own.
  if (existsSync(join(root, "layout.json")) && !existsSync(join(root, "mapped"))) return;
  const program = mappedProgram();
  if (program === undefined) return;
  // A late clean-up does not bring back a store that was removed.
  if (command.startsWith("_") && !existsSync(root)) return;
  const beside = joinHolders(root, () => supervisorsIn(join(root, "containers")));
  // "--": Node looks for options of its own in all that follows.
  becomeMapped(program, [process.execPath, ...process.execArgv, "--", ...process.argv.slice(1)], process.env, beside);
}

/** The supervisors of the store that live: whoever shares their namespace may join all containers. */
function supervisorsIn(containers: string): number[] {
  if (!existsSync(containers)) return [];
  const found = readdirSync(containers).map((id) => observeStatus(join(containers, id)));
  const alive = found.filter((status) => status?.state === "running" || status?.state === "paused");
  return alive.map((status) => status!.supervisorPid);
}
