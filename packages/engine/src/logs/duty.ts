// The keeper's duty of logs: lines for the journal as they come, full files compressed. It follows the containers' directories.
import { watch, type FSWatcher } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { logPath } from "../containers/bundle.ts";
import { containerStatus } from "../containers/status.ts";
import type { EngineContext } from "../context.ts";
import type { Duty, Report } from "../keeper/duty.ts";
import { containerIds } from "../state/containers.ts";
import { containerDir, readRecord, type ContainerRecord } from "../state/record.ts";
import { compressLog, fullFiles } from "./compress.ts";
import { readLogDuty, type LogDuty } from "./duty-file.ts";
import { forwardLog } from "./forward.ts";

/** Lines that come together are sent together. */
const SETTLE_MS = 20;

interface Logged {
  readonly duty: LogDuty;
  readonly record: ContainerRecord;
}

/** Containers whose log has something to be done, or may have while they run. */
export function loggedContainers(context: EngineContext): Map<string, Logged> {
  const found = new Map<string, Logged>();
  for (const id of containerIds(context.paths)) {
    const dir = containerDir(context.paths.containers, id);
    const duty = readLogDuty(dir);
    const record = duty === undefined ? undefined : readRecord(dir);
    if (duty === undefined || record === undefined) continue;
    const { state } = containerStatus(context.paths, record);
    const isAlive = state === "running" || state === "paused";
    // The rest of a journal's is sent by whoever cleans up.
    if (isAlive || (duty === "compress" && fullFiles(logPath(dir)).length > 0)) found.set(id, { duty, record });
  }
  return found;
}

/** One container's log. */
class Follower {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #report: (error: unknown) => void;
  readonly #end = new AbortController();
  readonly #watcher: FSWatcher | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(dir: string, { duty, record }: Logged, report: (error: unknown) => void) {
    const path = logPath(dir);
    this.#report = report;
    this.#work = duty === "compress" ? () => compressLog(path) : (signal) => forwardLog(dir, record, signal);
    // A file is full seldom: that is looked for from time to time.
    if (duty === "compress") return;
    this.#watcher = watch(dir, (_, name) => {
      if (name === basename(path)) this.go();
    });
    // It goes with its container.
    this.#watcher.on("error", () => undefined);
  }

  /** Does what there is to do, once more if it is being done. */
  go(): void {
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    const { signal } = this.#end;
    this.#running = sleep(SETTLE_MS, undefined, { signal })
      .then(() => this.#work(signal))
      .catch((error: unknown) => {
        if (!signal.aborted) this.#report(error);
      })
      .finally(() => {
        this.#running = undefined;
        if (!this.#again || signal.aborted) return;
        this.#again = false;
        this.go();
      });
  }

  async end(): Promise<void> {
    this.#watcher?.close();
    this.#end.abort();
    await this.#running;
  }
}

/** Does what logs need. */
export class Logs implements Duty {
  readonly #context: EngineContext;
  readonly #followers = new Map<string, Follower>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#followers.size;
  }

  async sync(report: Report): Promise<void> {
    const logged = loggedContainers(this.#context);
    for (const [id, follower] of this.#followers) {
      if (logged.has(id)) continue;
      this.#followers.delete(id);
      await follower.end();
    }
    for (const [id, each] of logged) {
      let follower = this.#followers.get(id);
      if (follower === undefined) {
        const dir = containerDir(this.#context.paths.containers, id);
        follower = new Follower(dir, each, (error) => report(`log of container ${id}`, error));
        this.#followers.set(id, follower);
      }
      follower.go();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#followers.values()].map((follower) => follower.end()));
  }
}
