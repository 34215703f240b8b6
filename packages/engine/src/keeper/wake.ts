// Starts the keeper: whoever needs one does, and whoever looks at containers that need one and finds none.
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { isLapError } from "@lapstrake/base";
import { lockFile } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { needsForwarder } from "../network/resolver.ts";
import type { ContainerRecord } from "../state/record.ts";
import { keeperDir } from "./dir.ts";

/** Starts a keeper unless one is at work, and does not wait for it: it reads what there is to do from the records. */
export function wakeKeeper(context: EngineContext): void {
  const dir = keeperDir(context.paths.root);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  try {
    using _free = lockFile(join(dir, "lock"), 0);
  } catch (error) {
    if (isLapError(error) && error.code === "ERR_LAP_LOCKED") return;
    throw error;
  }
  startKeeper(context);
}

/** Has the keeper look at what there is to do, starting it if there is none. */
export async function tellKeeper(context: EngineContext): Promise<void> {
  const { ask } = await import("./channel.ts");
  // One that is on its way out does not answer any more; it looks once more when the next finds its lock held.
  if ((await ask(context.paths.root, "look")) === undefined) startKeeper(context);
}

/** True while a keeper is at work, or one is on its way out. */
export function hasKeeper({ paths }: EngineContext): boolean {
  const lock = join(keeperDir(paths.root), "lock");
  if (!existsSync(lock)) return false;
  try {
    using _free = lockFile(lock, 0);
    return false;
  } catch (error) {
    if (isLapError(error) && error.code === "ERR_LAP_LOCKED") return true;
    throw error;
  }
}

/** True when a container that runs has something for the keeper: names to ask for, ports, or a check of its health. */
export function wantsKeeper(record: ContainerRecord): boolean {
  const { networks = {}, request, health } = record;
  if (health !== undefined || asksLog(record)) return true;
  if (Object.keys(networks).length === 0) return false;
  return (request.ports ?? []).length > 0 || request.publishAll === true || hasResolver(record);
}

/** True when the keeper answers what the container asks: names of user networks, and where only the machine reaches its resolvers. */
export function hasResolver({ networks = {}, request }: ContainerRecord): boolean {
  const names = Object.keys(networks);
  return names.some((name) => name !== "bridge") || (names.length > 0 && needsForwarder(request));
}

/** True when the keeper may have something to do for its log: hand it to the journal, compress it. */
export function asksLog({ request: { log } }: ContainerRecord): boolean {
  return (
    log !== undefined && (log.driver === "journald" || log.driver === "local" || log.options["compress"] !== undefined)
  );
}

/** Starts the program on its own: it outlives its caller, and one that finds another at work leaves. */
export function startKeeper(context: EngineContext): void {
  const log = openSync(join(keeperDir(context.paths.root), "log"), "a", 0o600);
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
