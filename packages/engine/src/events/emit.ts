// Writing events: whoever acts appends one line to events/log, in one write(2), so that lines of several processes do not mix. Two files
// are kept; the log becomes log.1 when it is full.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errorCode, isLapError, type Timespec } from "@lapstrake/base";
import { lockFile } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { EngineEvent, EventType } from "./event.ts";

/** Bytes of one file; the events of some ten thousand runs. */
const MAX_BYTES = 4 * 1024 * 1024;

/** What writing an event needs. */
export type EventSink = Pick<EngineContext, "clock" | "logger"> & { readonly paths: { readonly root: string } };

/** Folder of the events of a store. */
export function eventsDir(root: string): string {
  return join(root, "events");
}

/** The file that is appended to; the one before it has `.1` behind its name. */
export function eventsFile(root: string): string {
  return join(eventsDir(root), "log");
}

/** Says that something happened. What was done stays done: an event that cannot be written is a warning. */
export function emit(
  sink: EventSink,
  type: EventType,
  action: string,
  id: string,
  attributes: Readonly<Record<string, string>> = {},
  time: Timespec = sink.clock.now(),
): void {
  const event: EngineEvent = { type, action, id, attributes, time };
  try {
    append(sink.paths.root, `${JSON.stringify(event)}\n`);
  } catch (error) {
    sink.logger.warn(`event "${type} ${action}" is not recorded: ${String(error)}`);
  }
}

/** {@link emit} for a container: its labels, image and name are attributes. `time` is that of what happened, when that is told late. */
export function emitContainer(
  sink: EventSink,
  record: ContainerRecord,
  action: string,
  more: Readonly<Record<string, string>> = {},
  time?: Timespec,
): void {
  const labels = { ...record.image.labels, ...record.request.labels };
  emit(sink, "container", action, record.id, { ...labels, image: record.image.name, name: record.name, ...more }, time);
}

function append(root: string, line: string): void {
  const fd = openLog(root);
  let size: number;
  try {
    writeSync(fd, line);
    size = fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
  if (size > MAX_BYTES) rotate(root);
}

function openLog(root: string): number {
  try {
    return openSync(eventsFile(root), "a", 0o600);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    mkdirSync(eventsDir(root), { recursive: true, mode: 0o700 });
    return openSync(eventsFile(root), "a", 0o600);
  }
}

/** One of those who see it full moves it; the others find a small one. */
function rotate(root: string): void {
  try {
    using _lock = lockFile(join(eventsDir(root), "lock"), 0);
    const file = eventsFile(root);
    if (statSync(file).size > MAX_BYTES) renameSync(file, `${file}.1`);
  } catch (error) {
    if (!isLapError(error) || error.code !== "ERR_LAP_LOCKED") throw error;
  }
}
