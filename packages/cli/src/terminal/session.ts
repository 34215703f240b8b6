// A container in the foreground: start it attached, carry bytes and signals both ways, clean up after it, give its exit code.
import {
  sayDetached,
  sayResized,
  type ContainerRecord,
  type DebugSink,
  type Engine,
  type Launched,
} from "@lapstrake/engine";
import { isLapError } from "@lapstrake/base";
import { connectStreams, type SessionOptions } from "./streams.ts";

/** How to run in the foreground. */
export interface ForegroundOptions extends SessionOptions {
  readonly debug: DebugSink | undefined;
  /** Remove a `--rm` container that could not start. */
  readonly removeOnFailure: boolean;
  /** Streams to carry; default both. */
  readonly stdout?: boolean;
  readonly stderr?: boolean;
}

/** Runs to the end (or to the detach keys); resolves to the exit code. */
export async function foreground(engine: Engine, record: ContainerRecord, options: ForegroundOptions): Promise<number> {
  const launched = await startAttached(engine, record, options);
  const attachment = launched.attachment!;
  const outcome = await connectStreams(attachment, record.process.tty, {
    ...options,
    resized: (rows, columns) => sayResized(engine, record, rows, columns),
  });
  if (outcome.kind === "detached") {
    sayDetached(engine, record);
    return 0;
  }
  await engine.reap(record);
  attachment.reaped();
  return outcome.status.exitCode;
}

async function startAttached(engine: Engine, record: ContainerRecord, options: ForegroundOptions): Promise<Launched> {
  const { rows, columns } = process.stdout;
  try {
    return await engine.start(
      record,
      {
        attach: { stdin: options.stdin, stdout: options.stdout ?? true, stderr: options.stderr ?? true },
        foreground: true,
        ...(process.stdout.isTTY ? { ttySize: { rows, cols: columns } } : {}),
      },
      options.debug,
    );
  } catch (error) {
    if (record.autoRemove && options.removeOnFailure) await engine.remove(record, { force: true });
    else if (isLapError(error)) await engine.reap(record);
    throw error;
  }
}
