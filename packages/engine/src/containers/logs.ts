// Reading a container's log, in Docker's json-file form: one JSON object a line with log, stream and RFC 3339 time.
import { closeSync, fstatSync, openSync, readSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { errorCode } from "@lapstrake/base";

/** One record: a line, or a piece of one when the text does not end with a newline. */
export interface LogEntry {
  readonly text: string;
  readonly stream: "stdout" | "stderr";
  readonly time: string;
}

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

const CHUNK_BYTES = 256 * 1024;

/** Entries in order. A rotated log (`path.1` is the file before `path`) is read from its oldest kept file. */
export async function* readLog(path: string, options: LogOptions = {}): AsyncGenerator<LogEntry> {
  const reader = new LogReader(path);
  try {
    yield* options.tail === undefined
      ? inRange(reader.drain(), options)
      : lastOf(inRange(reader.drain(), options), options.tail);
    if (options.follow === undefined) return;
    for await (const _ of changes(path, options.follow)) yield* inRange(reader.drain(), options);
  } finally {
    reader.close();
  }
}

function* inRange(entries: Iterable<LogEntry>, { since, until }: LogOptions): Generator<LogEntry> {
  const from = since === undefined ? "" : inFull(since);
  const to = until === undefined ? "~" : inFull(until);
  for (const entry of entries) if (entry.time >= from && entry.time <= to) yield entry;
}

/** The last `count`, holding no more than twice as many. */
function lastOf(entries: Iterable<LogEntry>, count: number): LogEntry[] {
  let kept: LogEntry[] = [];
  for (const entry of entries) {
    kept.push(entry);
    if (kept.length > 2 * count + 64) kept = kept.slice(kept.length - count);
  }
  return kept.slice(Math.max(0, kept.length - count));
}

/** With nine fractional digits, as entries have them: then times compare as text. */
function inFull(time: string): string {
  const [, seconds, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return seconds === undefined ? time : `${seconds}.${fraction.padEnd(9, "0")}Z`;
}

/** Every file of a log, also over rotations: the file being read is kept open, newer ones are found by inode. */
class LogReader {
  readonly #path: string;
  #current: LineReader | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Every whole line that is there now and was not given before, read as it is asked for. */
  *drain(): Generator<LogEntry> {
    if (this.#current !== undefined) yield* this.#current.drain();
    for (const next of this.#newer()) {
      this.#current?.close();
      this.#current = next;
      yield* next.drain();
    }
  }

  close(): void {
    this.#current?.close();
  }

  /** Opened newest first, so that a rotation meanwhile shows a file twice (dropped) rather than never. Oldest first. */
  #newer(): LineReader[] {
    const found: LineReader[] = [];
    for (let n = 0; ; n++) {
      const reader = LineReader.open(n === 0 ? this.#path : `${this.#path}.${n}`);
      if (reader === undefined) break;
      const isKnown = reader.ino === this.#current?.ino || found.some(({ ino }) => ino === reader.ino);
      if (isKnown) reader.close();
      else found.push(reader);
      if (reader.ino === this.#current?.ino) break;
    }
    return found.toReversed();
  }
}

class LineReader {
  readonly #fd: number;
  readonly ino: number;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(fd: number) {
    this.#fd = fd;
    this.ino = fstatSync(fd).ino;
  }

  /** Undefined when there is no such file. */
  static open(path: string): LineReader | undefined {
    try {
      return new LineReader(openSync(path, "r"));
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  *drain(): Generator<LogEntry> {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let got = readSync(this.#fd, chunk); got > 0; got = readSync(this.#fd, chunk)) {
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, got)]);
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        const entry = parseLine(bytes.toString("utf8", start, end));
        start = end + 1;
        if (entry !== undefined) yield entry;
      }
      this.#rest = Buffer.from(bytes.subarray(start));
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** A torn line (crash while writing) is left out. */
function parseLine(line: string): LogEntry | undefined {
  try {
    const value = JSON.parse(line) as { log?: unknown; stream?: unknown; time?: unknown };
    if (typeof value.log !== "string" || typeof value.time !== "string") return undefined;
    return { text: value.log, stream: value.stream === "stderr" ? "stderr" : "stdout", time: value.time };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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
