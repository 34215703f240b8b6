// The keeper: one process per store, started by whoever needs it and gone when unneeded (who is alive: docs). It answers the names of user
// networks, holds published ports, checks health and starts again what its restart policy says. It keeps nothing that the records do not say,
// so a killed one is replaced by another that reads them.
import { existsSync, mkdirSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import { isLapError } from "@lapstrake/base";
import { lockFile } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { networksOf } from "../network/attach.ts";
import { needsKeeper, type NetworkRecord } from "../network/network-record.ts";
import { needsForwarder } from "../network/resolver.ts";
import { hasManyIds, isRootless } from "../sandbox/rootless.ts";
import { noteHolder } from "../sandbox/shared-ids.ts";
import { isContainerId } from "../state/ids.ts";
import { listen, makeKeeperDir } from "./channel.ts";
import type { Duty } from "./duty.ts";
import { HeldPorts } from "./ports.ts";
import { HealthChecks, checkedRuns } from "../health/checks.ts";
import { Restarts, waitingContainers } from "../restart/due.ts";
import { loggedContainers, Logs } from "../logs/duty.ts";
import { startGuardian } from "./guardian.ts";
import { Resolvers } from "./resolvers.ts";

/** Without work for so long it goes. */
const IDLE_MS = 3_000;
/** Changes that come together are looked at together. */
const SETTLE_MS = 20;
/** A listing is trusted only when its last change is older than the clock of the filesystem is coarse. */
const COARSE_MS = 50;

/** Runs the keeper of a store until it is unneeded or `signal` ends it; returns at once when another is at work. */
export async function runKeeper(context: EngineContext, signal: AbortSignal): Promise<void> {
  // Whoever gave it something to do while it was leaving found its lock held: it looks once more.
  while ((await keepOnce(context, signal)) && !signal.aborted && hasWork(context));
}

/** False when another is at work. */
async function keepOnce(context: EngineContext, signal: AbortSignal): Promise<boolean> {
  const { root } = context.paths;
  using lock = tryLock(join(makeKeeperDir(root), "lock"));
  if (lock === undefined) return false;
  // It starts containers too, and may be all that is left in the namespace of theirs.
  if (isRootless() && hasManyIds()) noteHolder(root);
  await using keeper = new Keeper(context);
  await keeper.sync();
  await using _channel = await listen(root, (line) => keeper.answer(line));
  // Last: one that cannot even start is not started again and again.
  using _guardian = startGuardian(root, context.keeperArgv);
  await keeper.untilIdle(signal);
  return true;
}

function hasWork(context: EngineContext): boolean {
  return (
    existsSync(join(context.paths.root, "layout.json")) &&
    (needsKeeper(networksOf(context).list(), needsForwarder({})) ||
      waitingContainers(context).size > 0 ||
      checkedRuns(context).size > 0 ||
      loggedContainers(context).size > 0)
  );
}

function tryLock(path: string): Disposable | undefined {
  try {
    return lockFile(path, 0);
  } catch (error) {
    if (isLapError(error) && error.code === "ERR_LAP_LOCKED") return undefined;
    throw error;
  }
}

class Keeper implements AsyncDisposable {
  readonly #context: EngineContext;
  readonly #resolvers: Resolvers;
  readonly #duties: readonly Duty[];
  readonly #list: () => readonly NetworkRecord[];
  /** One change at a time. */
  #work: Promise<void> = Promise.resolve();
  #lastUse = Date.now();
  #lastSync = 0;

  constructor(context: EngineContext) {
    this.#context = context;
    // A store may have no networks yet.
    mkdirSync(join(context.paths.root, "networks"), { recursive: true, mode: 0o700 });
    this.#list = cached(join(context.paths.root, "networks"), () => networksOf(context).list());
    this.#resolvers = new Resolvers(context.paths, this.#list);
    this.#duties = [
      this.#resolvers,
      new HeldPorts(this.#list),
      new Restarts(context),
      new HealthChecks(context),
      new Logs(context),
    ];
  }

  /** Makes what is served what the records say. */
  sync(): Promise<void> {
    const { logger } = this.#context;
    const report = (subject: string, error: unknown): void => logger.warn(`no ${subject}: ${String(error)}`);
    this.#lastSync = Date.now();
    this.#work = this.#work.then(async () => {
      for (const duty of this.#duties) await duty.sync(report);
    });
    return this.#work;
  }

  /** `look` is answered when everything is as the records say, `serve ID` is answered when the container's names are. */
  async answer(line: string): Promise<string> {
    this.#lastUse = Date.now();
    const [verb, id = ""] = line.split(" ");
    if (verb === "look") {
      await this.sync();
      return "ok";
    }
    if (verb !== "serve" || !isContainerId(id)) return `unknown request "${line}"`;
    await this.sync();
    return this.#resolvers.serves(id) ? "ok" : "see the log";
  }

  /** Follows the records until there has been nothing to do for a while. */
  async untilIdle(signal: AbortSignal): Promise<void> {
    const { paths, clock } = this.#context;
    using _watch = watching(join(paths.root, "networks"), () => void clock.sleep(SETTLE_MS).then(() => this.sync()));
    for (;;) {
      if (signal.aborted || !existsSync(join(paths.root, "layout.json"))) return;
      if (this.#duties.some(({ size }) => size > 0)) this.#lastUse = Date.now();
      else if (Date.now() - this.#lastUse > IDLE_MS) return;
      await clock.sleep(IDLE_MS / 10);
      // What nobody told.
      if (Date.now() - this.#lastSync > IDLE_MS) await this.sync();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work;
    await Promise.all(this.#duties.map((duty) => duty[Symbol.asyncDispose]()));
  }
}

function watching(dir: string, changed: () => void): Disposable {
  const watcher = watch(dir, changed);
  // The folder goes with its store, and the keeper with it.
  watcher.on("error", () => undefined);
  return { [Symbol.dispose]: () => watcher.close() };
}

/** Reads again only after the folder changed: every record is replaced by a rename, which its time shows. */
function cached<T>(dir: string, read: () => T): () => T {
  let kept: { readonly value: T; readonly changedNs: bigint } | undefined;
  return () => {
    const changedNs = statSync(dir, { bigint: true }).mtimeNs;
    if (kept?.changedNs === changedNs) return kept.value;
    const value = read();
    const isSettled = Date.now() - Number(changedNs / 1_000_000n) > COARSE_MS;
    kept = isSettled ? { value, changedNs } : undefined;
    return value;
  };
}
