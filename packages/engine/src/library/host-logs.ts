// A box's log, followed until the box ends or the reader leaves.
import { readLog, type LogEntry } from "../containers/logs.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { Box, BoxLogOptions } from "./types.ts";

/** Entries of its log, in order. */
export async function* boxLogs(
  engine: Engine,
  box: Box,
  record: ContainerRecord,
  { follow = false, tail, signal }: BoxLogOptions,
): AsyncGenerator<LogEntry> {
  const leave = new AbortController();
  const onAbort = (): void => leave.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  const ended = follow ? box.wait({ signal: leave.signal }).then(() => undefined) : undefined;
  ended?.catch(() => undefined);
  try {
    yield* readLog(engine.logPath(record), {
      ...(tail === undefined ? {} : { tail }),
      ...(ended === undefined ? {} : { follow: { ended, signal: leave.signal } }),
    });
  } finally {
    signal?.removeEventListener("abort", onAbort);
    leave.abort();
  }
}
