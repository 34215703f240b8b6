// Waiting for the end, and stopping with a grace period.
import { control, type ExitStatus } from "@lapstrake/core";
import { errorCode, isLapError } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import { hasRestartPolicy } from "../restart/state.ts";
import type { ContainerRecord } from "../state/record.ts";
import { isReaped } from "./reap.ts";
import { keepStopped, sendSignal } from "./remove.ts";
import { containerStatus, type State } from "./status.ts";

const SIGKILL = 9;
const POLL_MS = 5;
const RESEND_MS = 100;
/** What a connection says whose supervisor has gone. */
const ENDED = new Set(["ERR_LAP_NOT_RUNNING", "ECONNRESET", "EPIPE"]);

/** Resolves when the container does not run any more, with its last exit status. */
export async function waitContainer(
  engine: Engine,
  record: ContainerRecord,
  signal?: AbortSignal,
): Promise<ExitStatus> {
  for (;;) {
    const status = engine.status(record);
    if (isOver(engine, record, status.state)) {
      const { exitCode, oomKilled, supervisorLost } = status;
      return { exitCode, oomKilled, supervisorLost, signal: undefined };
    }
    if (status.state === "running" || status.state === "paused") await waitOnSocket(engine, record);
    else if (status.state === "exited") await engine.reap(record);
    signal?.throwIfAborted();
    await engine.context.clock.sleep(POLL_MS, signal);
  }
}

/** {@link waitContainer}, and then for what the container leaves to be gone and its end to be told. */
export async function waitSettled(engine: Engine, record: ContainerRecord): Promise<ExitStatus> {
  const status = await waitContainer(engine, record);
  if (containerStatus(engine.context.paths, record).state === "exited") await engine.reap(record);
  return status;
}

/** A restart policy may start it again: that is decided when its last run is cleaned up. */
function isOver(engine: Engine, record: ContainerRecord, state: State): boolean {
  if (state === "running" || state === "paused" || state === "restarting") return false;
  return state !== "exited" || !hasRestartPolicy(record) || isReaped(engine.context, record);
}

async function waitOnSocket(engine: Engine, record: ContainerRecord): Promise<void> {
  try {
    await using connection = await control(engine.dir(record));
    await connection.wait();
  } catch (error) {
    // It ended between our look at it and our question.
    if (!ENDED.has(errorCode(error) ?? "")) throw error;
  }
}

/** Sends the stop signal, waits, then kills, and cleans up. A container that does not run is left alone. */
export async function stopContainer(
  engine: Engine,
  record: ContainerRecord,
  options: { readonly timeoutSec?: number; readonly signal?: number } = {},
): Promise<void> {
  const { context } = engine;
  const wasWaiting = await keepStopped(context, record);
  const isRunning = isAlive(engine, record);
  if (isRunning) await endByStages(engine, record, options);
  if (isRunning || wasWaiting) emitContainer(context, record, "stop");
}

/** Stops it if it runs and starts it. */
export async function restartContainer(
  engine: Engine,
  record: ContainerRecord,
  options: { readonly timeoutSec?: number; readonly signal?: number } = {},
): Promise<void> {
  await stopContainer(engine, record, options);
  try {
    await engine.start(record);
  } catch (error) {
    // Somebody else was quicker: it runs anew, as was asked for.
    if (!isLapError(error) || error.code !== "ERR_LAP_ALREADY_RUNNING") throw error;
  }
  emitContainer(engine.context, record, "restart");
}

/** The stop signal, SIGKILL after the grace period, and cleaning up; nothing else is said of it. */
export async function endByStages(
  engine: Engine,
  record: ContainerRecord,
  options: { readonly timeoutSec?: number; readonly signal?: number },
): Promise<void> {
  const timeoutSec = options.timeoutSec ?? record.process.stopTimeoutSec;
  const signal = options.signal ?? record.process.stopSignal;
  const send = (number: number): Promise<void> => sendSignal(engine.context, record, number);
  await send(signal);
  await thaw(engine, record);
  const ended = waitContainer(engine, record);
  using _again = record.kind === "wasm" ? repeating(() => send(signal)) : undefined;
  if (timeoutSec >= 0 && !(await within(ended, timeoutSec * 1000))) await send(SIGKILL);
  await ended;
  await engine.reap(record);
}

/** What is paused takes no signal but SIGKILL. */
async function thaw(engine: Engine, record: ContainerRecord): Promise<void> {
  if (engine.status(record).state === "paused") await (await import("./change.ts")).unpauseContainer(engine, record);
}

/** Nothing inside handles signals while the payload is starting, and the kernel drops those of a first process: ask again. */
function repeating(send: () => Promise<void>): Disposable {
  const timer = setInterval(() => void send(), RESEND_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  void work.then(
    () => resolve(true),
    () => resolve(true),
  );
  const inTime = await promise;
  clearTimeout(timer);
  return inTime;
}

function isAlive(engine: Engine, record: ContainerRecord): boolean {
  return ["running", "paused"].includes(engine.status(record).state);
}
