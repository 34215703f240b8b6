// What a container's log needs of the keeper, as a file of its directory: then nobody has to read the record to know.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compressesLog, type LogRequest } from "../containers/log-config.ts";
import { readStored } from "../state/read-stored.ts";

/** `journald` hands lines to the journal, `compress` compresses full files. */
export type LogDuty = "journald" | "compress";

const FILE = "log-duty";

/** Written at each start, before the program runs. */
export function writeLogDuty(dir: string, request: LogRequest): void {
  const duty: LogDuty | undefined =
    request.driver === "journald" ? "journald" : compressesLog(request) ? "compress" : undefined;
  if (duty === undefined) rmSync(join(dir, FILE), { force: true });
  else writeFileSync(join(dir, FILE), duty);
}

export function readLogDuty(dir: string): LogDuty | undefined {
  const text = readStored(join(dir, FILE));
  return text === "journald" || text === "compress" ? text : undefined;
}
