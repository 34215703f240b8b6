// Reading a container's log, in Docker's json-file form: one JSON object a line with log, stream and RFC 3339 time.
import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import { fullTime, type LogEntry } from "../logs/line-reader.ts";
import { LogFiles } from "../logs/log-files.ts";

export type { LogEntry };

/** What to read. */
export interface LogOptions {
  /** Last lines only; undefined is all. */
  readonly tail?: number;
  /** RFC 3339 bounds in UTC. */
  readonly since?: string;
  readonly until?: string;
  /** Keep reading until `ended` resolves and everything written is read. */
  readonly follow?: { readonly ended: Promise<void>; readonly signal?: AbortSignal };
}

/** Torn lines that a tail may have among its lines. */
const TORN = 16;

/** Entries in order. A rotated log (`path.1` is the file before `path`) is read from its oldest kept file. */
export async function* readLog(path: string, options: LogOptions = {}): AsyncGenerator<LogEntry> {
  using files = new LogFiles(path);
  const { tail, since, until } = options;
  if (tail === undefined) yield* inRange(files.drain(), options);
  else if (since !== undefined || until !== undefined) yield* await lastOf(inRange(files.drain(), options), tail);
  else yield* await lastOf(files.drainTail(tail + TORN), tail);
  if (options.follow === undefined) return;
  for await (const _ of changes(path, options.follow)) yield* inRange(files.drain(), options);
}

/** Entries of the time that is asked for. */
export async function* inRange(
  entries: AsyncIterable<LogEntry>,
  { since, until }: LogOptions,
): AsyncGenerator<LogEntry> {
  const from = since === undefined ? "" : fullTime(since);
  const to = until === undefined ? "~" : fullTime(until);
  for await (const entry of entries) if (entry.time >= from && entry.time <= to) yield entry;
}

/** The last `count`, holding no more than twice as many. */
export async function lastOf(entries: AsyncIterable<LogEntry>, count: number): Promise<LogEntry[]> {
  let kept: LogEntry[] = [];
  for await (const entry of entries) {
    kept.push(entry);
    if (kept.length > 2 * count + 64) kept = kept.slice(kept.length - count);
  }
  return kept.slice(Math.max(0, kept.length - count));
}

/** Yields whenever the file may have grown, and a last time after the end. */
async function* changes(path: string, follow: NonNullable<LogOptions["follow"]>): AsyncGenerator<void> {
  const state = { ended: false };
  let wake: () => void = () => {};
  const watcher = watch(dirname(path), (_, name) => {
    if (name === basename(path)) wake();
  });
  const stop = (): void => {
    state.ended = true;
    wake();
  };
  follow.signal?.addEventListener("abort", stop);
  const watching = follow.ended.then(stop, stop);
  try {
    while (!state.ended) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      yield;
      if (!state.ended) await woken;
    }
    yield;
  } finally {
    watcher.close();
    follow.signal?.removeEventListener("abort", stop);
    if (state.ended) await watching.catch(() => undefined);
  }
}
