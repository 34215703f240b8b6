// Handing a container's log to the journal: from the supervisor's file, which is what waits while nobody does this, from the place on where
// the last one came to. Who is killed between an entry and noting it has the next one send a few again.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectDatagram, lockFile, type DatagramSocket } from "@lapstrake/core";
import { errorCode, isLapError } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { logPath } from "../containers/bundle.ts";
import { writeFileAtomic } from "../state/atomic.ts";
import { readStored } from "../state/read-stored.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { LogEntry } from "./line-reader.ts";
import { journalEntry, journalFields, JOURNAL_SOCKET, type JournalFields } from "./journal.ts";
import { LogFiles } from "./log-files.ts";

/** Entries that may come twice. */
const NOTE_EVERY = 100;
const STEP_MS = 10;
/** An end waits so long for a journal that takes nothing. */
const REST_MS = 5_000;
const POSITION = "journal.json";

interface Position {
  /** First line of the file. */
  readonly key: string;
  readonly offset: number;
}

/** Sends what was not sent. One at a time does this. Throws Node-shaped errors when there is no journal, and when `signal` ends the waiting. */
export async function forwardLog(dir: string, record: ContainerRecord, signal: AbortSignal): Promise<void> {
  using _lock = await forwarderLock(dir, signal);
  using files = new LogFiles(logPath(dir));
  using socket = connectDatagram(JOURNAL_SOCKET);
  const fields = journalFields(record);
  const position = readPosition(dir);
  const entries = position === undefined ? files.drain() : files.drainFrom(position.key, position.offset);
  let unnoted = 0;
  try {
    for await (const entry of entries) {
      await send(socket, fields, entry, signal);
      if (++unnoted % NOTE_EVERY === 0) notePosition(dir, files);
    }
  } finally {
    if (unnoted > 0) notePosition(dir, files);
  }
}

/** The same at the end of a run, for a while; what the journal does not take is told. */
export async function forwardRest(context: EngineContext, dir: string, record: ContainerRecord): Promise<void> {
  try {
    await forwardLog(dir, record, AbortSignal.timeout(REST_MS));
  } catch (error) {
    if (errorCode(error) === "ENOENT" && !existsSync(join(dir, "record.json"))) return;
    context.logger.warn(`the journal has not all of the log of container ${record.id}: ${String(error)}`);
  }
}

async function forwarderLock(dir: string, signal: AbortSignal): Promise<Disposable> {
  for (;;) {
    try {
      return lockFile(join(dir, "journal.lock"), 0);
    } catch (error) {
      if (!isLapError(error) || error.code !== "ERR_LAP_LOCKED") throw error;
      await sleep(STEP_MS, undefined, { signal });
    }
  }
}

async function send(
  socket: DatagramSocket,
  fields: JournalFields,
  entry: LogEntry,
  signal: AbortSignal,
): Promise<void> {
  let bytes = journalEntry(fields, entry);
  for (;;) {
    try {
      if (socket.send(bytes)) return;
    } catch (error) {
      if (errorCode(error) !== "EMSGSIZE" || Object.keys(fields).length === 0) throw error;
      // Labels of that size: the line goes without them.
      bytes = journalEntry({ CONTAINER_ID_FULL: fields["CONTAINER_ID_FULL"]! }, entry);
      fields = {};
    }
    await sleep(STEP_MS, undefined, { signal });
  }
}

function readPosition(dir: string): Position | undefined {
  const text = readStored(join(dir, POSITION));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Position;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function notePosition(dir: string, { current }: LogFiles): void {
  const key = current?.key;
  if (current === undefined || key === undefined) return;
  writeFileAtomic(join(dir, POSITION), JSON.stringify({ key, offset: current.offset } satisfies Position));
}
