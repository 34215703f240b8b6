// A container's log, wherever its driver keeps it.
import { LapError } from "@lapstrake/base";
import { readLog, type LogEntry, type LogOptions } from "../containers/logs.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";

/** Entries in order. Throws `ERR_LAP_NO_LOG` where none can be read. */
export async function* readContainerLog(
  engine: Engine,
  record: ContainerRecord,
  options: LogOptions = {},
): AsyncGenerator<LogEntry> {
  const driver = record.request.log?.driver;
  if (driver === "none") {
    throw new LapError("failedPrecondition", "ERR_LAP_NO_LOG", "configured logging driver does not support reading");
  }
  if (driver !== "journald") yield* readLog(engine.logPath(record), options);
  else yield* (await import("./journal-read.ts")).readJournal(engine.context, record, options);
}
