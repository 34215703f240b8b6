// The journal of systemd: its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), with the fields that docker's journald driver gives.
import { existsSync } from "node:fs";
import { LapError } from "@lapstrake/base";
import type { LogEntry } from "../containers/logs.ts";
import type { ContainerRecord } from "../state/record.ts";
import { logAttributes, logTag } from "./attributes.ts";

/** Where the journal listens. */
export const JOURNAL_SOCKET = "/run/systemd/journal/socket";
const PRIORITY = { stdout: "6", stderr: "3" };
const SHORT = 12;

/** True where a journal listens. */
export function hasJournal(): boolean {
  return existsSync(JOURNAL_SOCKET);
}

/** Throws `ERR_LAP_LOG_DRIVER` in docker's words. */
export function requireJournal(): void {
  if (hasJournal()) return;
  const message = "failed to initialize logging driver: journald is not enabled on this host";
  throw new LapError("failedPrecondition", "ERR_LAP_LOG_DRIVER", message);
}

export type JournalFields = Readonly<Record<string, string>>;

/** What every entry of a container has. */
export function journalFields(record: ContainerRecord): JournalFields {
  const log = record.request.log!;
  const template = log.options["tag"] ?? "";
  const tag = logTag(record, template === "" ? "{{.ID}}" : template);
  return {
    CONTAINER_ID: record.id.slice(0, SHORT),
    CONTAINER_ID_FULL: record.id,
    CONTAINER_NAME: record.name,
    CONTAINER_TAG: tag,
    IMAGE_NAME: record.image.name,
    SYSLOG_IDENTIFIER: tag,
    ...logAttributes(record, log, fieldName),
  };
}

/** Capital letters, digits and underlines, the last not in front. */
export function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, "_")
    .replace(/^_+/, "");
}

/** One line of output as a datagram. */
export function journalEntry(fields: JournalFields, { text, stream, time }: LogEntry): Buffer {
  const isWhole = text.endsWith("\n");
  const all = {
    MESSAGE: isWhole ? text.slice(0, -1) : text,
    PRIORITY: PRIORITY[stream],
    ...fields,
    SYSLOG_TIMESTAMP: time,
    ...(isWhole ? {} : { CONTAINER_PARTIAL_MESSAGE: "true" }),
  };
  return Buffer.concat(Object.entries(all).flatMap(([name, value]) => (name === "" ? [] : field(name, value))));
}

/** `NAME=value`, or with its length when it has several lines. */
function field(name: string, value: string): Buffer[] {
  if (!value.includes("\n")) return [Buffer.from(`${name}=${value}\n`)];
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return [Buffer.from(`${name}\n`), length, bytes, Buffer.from("\n")];
}
