// Reading a container's log back from the journal, by journalctl(1).
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { errorCode, LapError } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { inRange, lastOf, type LogOptions } from "../containers/logs.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { logAttributes } from "./attributes.ts";
import { forwardRest } from "./forward.ts";
import { fieldName } from "./journal.ts";
import { fullTime, type LogEntry } from "./line-reader.ts";

const STDERR_PRIORITY = "3";
const SYNC_MS = 5_000;

type Fields = Readonly<Record<string, unknown>>;

/** Entries in the order the journal has them. Throws `ERR_LAP_NO_LOG` without journalctl. */
export async function* readJournal(
  context: EngineContext,
  record: ContainerRecord,
  options: LogOptions,
): AsyncGenerator<LogEntry> {
  const state = { cursor: undefined as string | undefined };
  const { tail, follow, since, until } = options;
  const isPlain = since === undefined && until === undefined;
  await settle(context, record);
  // One at least: what is followed begins behind it.
  const newest = tail === undefined || !isPlain ? [] : ["-n", String(Math.max(1, tail))];
  const shown = inRange(entries(record, state, newest, undefined), options);
  yield* tail === undefined ? shown : await lastOf(shown, tail);
  if (follow === undefined) return;
  const end = new AbortController();
  const ended = follow.ended.then(() => end.abort());
  follow.signal?.addEventListener("abort", () => end.abort());
  yield* inRange(entries(record, state, ["-f", "-n", "all"], end.signal), options);
  await ended;
  await settle(context, record);
  yield* inRange(entries(record, state, [], undefined), options);
}

/** What the program wrote is in the journal, and the journal can be asked for it. */
async function settle(context: EngineContext, record: ContainerRecord): Promise<void> {
  await forwardRest(context, dirOf(context.paths, record), record);
  // Only some may ask for that; the others see what the journal has got round to.
  spawnSync("journalctl", ["--sync"], { stdio: "ignore", timeout: SYNC_MS });
}

/** After the cursor, which moves on. */
async function* entries(
  record: ContainerRecord,
  state: { cursor: string | undefined },
  more: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<LogEntry> {
  const after = state.cursor === undefined ? [] : [`--after-cursor=${state.cursor}`];
  const args = ["--no-pager", "--all", "-q", "-o", "json", ...more, ...after, `CONTAINER_ID_FULL=${record.id}`];
  const child = spawn("journalctl", args, { stdio: ["ignore", "pipe", "inherit"] });
  const failed = new Promise<never>((_, reject) => child.once("error", (error) => reject(unreadable(error))));
  failed.catch(() => undefined);
  const started = new Promise<void>((resolve) => child.once("spawn", resolve));
  const kill = (): void => void child.kill();
  signal?.addEventListener("abort", kill);
  if (signal?.aborted === true) kill();
  const names = Object.keys(logAttributes(record, record.request.log!, fieldName));
  try {
    await Promise.race([started, failed]);
    for await (const line of createInterface({ input: child.stdout })) {
      const fields = JSON.parse(line) as Fields;
      state.cursor = String(fields["__CURSOR"]);
      yield entryOf(fields, names);
    }
  } finally {
    signal?.removeEventListener("abort", kill);
    child.kill();
  }
}

function unreadable(cause: Error): Error {
  if (errorCode(cause) !== "ENOENT") return cause;
  const message = "configured logging driver does not support reading";
  return new LapError("failedPrecondition", "ERR_LAP_NO_LOG", message, { hint: "journalctl is not installed" });
}

function entryOf(fields: Fields, names: readonly string[]): LogEntry {
  const isPart = fields["CONTAINER_PARTIAL_MESSAGE"] === "true";
  const attrs = names.filter((name) => fields[name] !== undefined).map((name) => [name, text(fields[name])] as const);
  return {
    text: `${text(fields["MESSAGE"])}${isPart ? "" : "\n"}`,
    stream: fields["PRIORITY"] === STDERR_PRIORITY ? "stderr" : "stdout",
    time: fullTime(text(fields["SYSLOG_TIMESTAMP"])),
    ...(attrs.length === 0 ? {} : { attrs: Object.fromEntries(attrs) }),
  };
}

/** What is no printable text comes as numbers. */
function text(value: unknown): string {
  if (Array.isArray(value)) return Buffer.from(value as number[]).toString("utf8");
  return typeof value === "string" ? value : "";
}
