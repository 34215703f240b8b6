// Waiting for the end, stopping with a grace period, and attaching to what runs.
import { attach, control, type Attachment, type ExitStatus } from "@lapstrake/core";
import { errorCode } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import { attachedTo } from "../sandbox/wasm-signals.ts";
import type { ContainerRecord } from "../state/record.ts";

const SIGKILL = 9;
const POLL_MS = 5;
const RESEND_MS = 100;

/** Resolves when the container does not run any more, with its last exit status. */
export async function waitContainer(
  engine: Engine,
  record: ContainerRecord,
  signal?: AbortSignal,
): Promise<ExitStatus> {
  for (;;) {
    const status = engine.status(record);
    if (status.state !== "running" && status.state !== "paused") {
      const { exitCode, oomKilled, supervisorLost } = status;
      return { exitCode, oomKilled, supervisorLost, signal: undefined };
    }
    await waitOnSocket(engine, record);
    signal?.throwIfAborted();
    await engine.context.clock.sleep(POLL_MS, signal);
  }
}

async function waitOnSocket(engine: Engine, record: ContainerRecord): Promise<void> {
  try {
    await using connection = await control(engine.dir(record));
    await connection.wait();
  } catch (error) {
    const code = errorCode(error);
    if (!["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(code ?? "")) throw error;
  }
}

/** Sends the stop signal, waits, then kills. A container that does not run is left alone. */
export async function stopContainer(
  engine: Engine,
  record: ContainerRecord,
  options: { readonly timeoutSec?: number; readonly signal?: number } = {},
): Promise<void> {
  if (!isAlive(engine, record)) return;
  const timeoutSec = options.timeoutSec ?? record.process.stopTimeoutSec;
  const signal = options.signal ?? record.process.stopSignal;
  await engine.signal(record, signal);
  const ended = waitContainer(engine, record);
  using _again = record.kind === "wasm" ? repeating(() => engine.signal(record, signal)) : undefined;
  if (timeoutSec >= 0 && !(await within(ended, timeoutSec * 1000))) await engine.signal(record, SIGKILL);
  await ended;
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

/** Connects to a running container's standard streams. */
export async function attachContainer(
  engine: Engine,
  record: ContainerRecord,
  options: { readonly stdin: boolean },
): Promise<Attachment> {
  return attachedTo(record, await attach(engine.dir(record), { stdin: options.stdin, stdout: true, stderr: true }));
}
