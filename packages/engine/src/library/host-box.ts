// A box that is a container of this machine. Each call is thin: what it does lives in a file of its own.
import { SIGNALS, connectInNetns, parseSignal, readStatus } from "@lapstrake/core";
import { LapError, errorCode } from "@lapstrake/base";
import type { Socket } from "node:net";
import { pauseContainer, unpauseContainer } from "../containers/change.ts";
import { stopContainer } from "../containers/stop.ts";
import type { LogEntry } from "../containers/logs.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import { abortable } from "./abort.ts";
import { boxFs, type BoxFs } from "./fs/box-fs.ts";
import { hostUsage, withHostFiles } from "./fs/host-files.ts";
import { removeHeld, startHeld, waitEnded, type HeldRun } from "./host-life.ts";
import { boxLogs } from "./host-logs.ts";
import { publishedAddress } from "./host-port.ts";
import { startExec } from "./host-process.ts";
import { Mutex } from "./mutex.ts";
import type { Encoding } from "./process-types.ts";
import { Process } from "./process.ts";
import { shellTag, type Shell } from "./shell.ts";
import type {
  Box,
  BoxExit,
  BoxLogOptions,
  BoxState,
  ExecOptions,
  ForkOptions,
  PortAddress,
  Snapshot,
  SnapshotOptions,
} from "./types.ts";
import { waitFor, type Awaited as AwaitedBox, type BoxHealth, type WaitFor } from "./wait/wait-for.ts";

const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];

/** How a box is held. */
export interface HostBoxOptions {
  /** It goes with its scope and with this process. */
  readonly held: boolean;
  /** Called when it is gone. */
  readonly onGone?: (box: HostBox) => void;
}

export class HostBox implements AwaitedBox {
  readonly fs: BoxFs;
  readonly $: Shell;
  readonly #engine: Engine;
  readonly #options: HostBoxOptions;
  readonly #mutex = new Mutex();
  #record: ContainerRecord;
  #run: HeldRun | undefined;
  #gone: Promise<void> | undefined;

  constructor(engine: Engine, record: ContainerRecord, options: HostBoxOptions) {
    this.#engine = engine;
    this.#record = record;
    this.#options = options;
    this.fs = boxFs(
      (use) => this.#mutex.run(() => withHostFiles(engine, this.#record, use)),
      () => hostUsage(engine, this.#record),
    );
    this.$ = shellTag((line, exec) => this.exec(["sh", "-c", line], exec));
  }

  get id(): string {
    return this.#record.id;
  }
  get name(): string {
    return this.#record.name;
  }
  get image(): string {
    return this.#record.image.name;
  }
  /** What it was made of, as the engine keeps it. */
  get record(): ContainerRecord {
    return this.#record;
  }

  state(): BoxState {
    return this.#engine.status(this.#record).state;
  }

  exec<E extends Encoding = "utf8">(args: readonly string[], options: ExecOptions<E> = {}): Process<E> {
    return new Process(
      args,
      startExec(this.#engine, () => this.#record, args, options),
      options,
    );
  }

  start(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#mutex.run(async () => {
      options.signal?.throwIfAborted();
      if (!this.#options.held) await this.#engine.start(this.#record, {});
      else this.#run = await startHeld(this.#engine, this.#record);
      if (options.signal?.aborted !== true) return;
      await this.kill("SIGKILL");
      throw options.signal.reason;
    });
  }

  stop(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs } = options;
    const timeout = timeoutMs === undefined ? {} : { timeoutSec: timeoutMs / 1000 };
    return this.#mutex.run(async () => {
      await stopContainer(this.#engine, this.#record, timeout);
      await this.#run?.over;
    });
  }

  async kill(signal: string | number = "SIGKILL"): Promise<void> {
    const number = parseSignal(String(signal));
    if (number === undefined) {
      throw new LapError("invalidArgument", "ERR_LAP_SIGNAL_INVALID", `unknown signal "${signal}"`);
    }
    await this.#engine.signal(this.#record, number);
    if (number === SIGNALS["SIGKILL"]) await this.#run?.over;
  }

  pause(): Promise<void> {
    return this.#mutex.run(() => pauseContainer(this.#engine, this.#record));
  }

  unpause(): Promise<void> {
    return this.#mutex.run(() => unpauseContainer(this.#engine, this.#record));
  }

  wait({ signal }: { readonly signal?: AbortSignal } = {}): Promise<BoxExit> {
    return this.#run === undefined ? waitEnded(this.#engine, this.#record, signal) : abortable(this.#run.over, signal);
  }

  logs(options: BoxLogOptions = {}): AsyncIterableIterator<LogEntry> {
    return boxLogs(this.#engine, this, this.#record, options);
  }

  waitFor(what: WaitFor, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return waitFor(this, what, options.signal);
  }

  async health(): Promise<BoxHealth | undefined> {
    const { healthOf } = await import("../health/show.ts");
    const health = healthOf(this.#engine.dir(this.#record), this.#record, this.#engine.status(this.#record));
    const output = health?.log.at(-1)?.output;
    return health && { status: health.status, ...(output === undefined ? {} : { output }) };
  }

  port(containerPort: number, protocol: "tcp" | "udp" = "tcp"): Promise<PortAddress> {
    return publishedAddress(this.#engine, this.#record, containerPort, protocol);
  }

  async connect(containerPort: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Socket> {
    signal?.throwIfAborted();
    const { state } = this.#engine.status(this.#record);
    if (state !== "running") {
      throw new LapError("conflict", "ERR_LAP_NOT_RUNNING", `Container ${this.id} is not running`);
    }
    const { pid } = readStatus(this.#engine.dir(this.#record))!;
    return connectFirst(pid, containerPort);
  }

  snapshot(options: SnapshotOptions = {}): Promise<Snapshot> {
    return this.#mutex.run(async () => {
      const { snapshotContainer } = await import("./host-snapshot.ts");
      return snapshotContainer(this.#engine, this.#engine.find(this.id), options);
    });
  }

  fork(options: ForkOptions = {}): Promise<Box> {
    return this.#mutex.run(async () => {
      const { forkContainer } = await import("./fork.ts");
      const held = options.keep !== true;
      const isRunning = ["running", "paused"].includes(this.state());
      const { original, record } = await forkContainer(this.#engine, this.#record, { ...options, held });
      this.#record = original;
      const box = new HostBox(this.#engine, record, { ...this.#options, held });
      if (options.start ?? isRunning) await startOrRemove(this.#engine, box, options.signal);
      return box;
    });
  }

  /** Removes it, whatever it is doing; a kept one is let be. */
  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#options.held) return Promise.resolve();
    this.#gone ??= this.#mutex.run(async () => {
      await removeHeld(this.#engine, this.#record, this.#run);
      this.#options.onGone?.(this);
    });
    return this.#gone;
  }
}

/** Starts a new box; one that cannot start does not stay. */
export async function startOrRemove(engine: Engine, box: HostBox, signal: AbortSignal | undefined): Promise<void> {
  try {
    await box.start(signal === undefined ? {} : { signal });
  } catch (error) {
    await box[Symbol.asyncDispose]();
    await engine.remove(box.record, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** By whichever loopback answers. */
function connectFirst(pid: number, port: number): Socket {
  try {
    return connectInNetns({ pid }, LOOPBACK[0]!, port);
  } catch (error) {
    if (errorCode(error) !== "ECONNREFUSED") throw error;
    return connectInNetns({ pid }, LOOPBACK[1]!, port);
  }
}
