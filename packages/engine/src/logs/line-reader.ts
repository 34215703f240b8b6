// One file of a log, read from where the last reading ended: JSON objects, one a line (docker's json-file). Compressed ones are read from
// a copy that has no name.
import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, gunzipSync } from "node:zlib";
import { errorCode } from "@lapstrake/base";
import { randomHex } from "../state/random.ts";

/** One record: a line, or a piece of one when the text does not end with a newline. */
export interface LogEntry {
  readonly text: string;
  readonly stream: "stdout" | "stderr";
  /** RFC 3339, in UTC, with nine digits of the second. */
  readonly time: string;
  /** What `--log-opt` has every line say. */
  readonly attrs?: Readonly<Record<string, string>>;
}

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 10;

/** Dispose to close it. */
export class LineReader implements Disposable {
  readonly #fd: number;
  readonly ino: number;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);
  #key: string | undefined;

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

  /** The same of a file of gzip(1). */
  static async openCompressed(path: string): Promise<LineReader | undefined> {
    const copy = join(tmpdir(), `lap-log-${randomHex(8)}`);
    try {
      await pipeline(createReadStream(path), createGunzip(), createWriteStream(copy, { mode: 0o600, flags: "wx" }));
      return new LineReader(openSync(copy, "r"));
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    } finally {
      rmSync(copy, { force: true });
    }
  }

  /** Its first line, by which a file is known under every name; undefined while it has none. */
  get key(): string | undefined {
    if (this.#key !== undefined) return this.#key;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    this.#key = firstLine(chunk.subarray(0, readSync(this.#fd, chunk, 0, CHUNK_BYTES, 0)));
    return this.#key;
  }

  /** Where the next line begins that was not given. */
  get offset(): number {
    return this.#position - this.#rest.length;
  }

  seek(offset: number): void {
    this.#position = offset;
    this.#rest = Buffer.alloc(0);
  }

  /** Goes to where at most `lines` are left; returns how many are. */
  seekTail(lines: number): number {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let count = 0;
    for (let end = fstatSync(this.#fd).size; end > 0;) {
      const start = Math.max(0, end - CHUNK_BYTES);
      const got = readSync(this.#fd, chunk, 0, end - start, start);
      for (let at = got - 1; at >= 0; at--) {
        if (chunk[at] !== NEWLINE || ++count <= lines) continue;
        this.seek(start + at + 1);
        return lines;
      }
      end = start;
    }
    this.seek(0);
    return count;
  }

  /** Every whole line that is there now and was not given before, read as it is asked for. */
  *drain(): Generator<LogEntry> {
    // A log of one file begins anew when it is full.
    if (fstatSync(this.#fd).size < this.#position) this.seek(0);
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const got = readSync(this.#fd, chunk, 0, CHUNK_BYTES, this.#position);
      if (got === 0) return;
      this.#position += got;
      let bytes = Buffer.concat([this.#rest, chunk.subarray(0, got)]);
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
        const entry = parseLine(bytes.toString("utf8", 0, end));
        bytes = bytes.subarray(end + 1);
        this.#rest = bytes;
        if (entry !== undefined) yield entry;
      }
      this.#rest = Buffer.from(bytes);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** {@link LineReader.key} of a compressed file, from its first bytes; undefined when there is none. */
export function compressedKey(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const head = chunk.subarray(0, readSync(fd, chunk, 0, CHUNK_BYTES, 0));
    return firstLine(gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }));
  } finally {
    closeSync(fd);
  }
}

function firstLine(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(NEWLINE);
  return end < 0 ? undefined : bytes.toString("latin1", 0, end);
}

/** A torn line (crash while writing) is left out. */
function parseLine(line: string): LogEntry | undefined {
  try {
    const value = JSON.parse(line) as {
      log?: unknown;
      stream?: unknown;
      time?: unknown;
      attrs?: Record<string, string>;
    };
    if (typeof value.log !== "string" || typeof value.time !== "string") return undefined;
    const stream = value.stream === "stderr" ? "stderr" : "stdout";
    const entry = { text: value.log, stream, time: fullTime(value.time) } as const;
    return value.attrs === undefined ? entry : { ...entry, attrs: value.attrs };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** With nine digits of the second: then times compare as text, and are as wide as docker's. */
export function fullTime(time: string): string {
  const [, seconds, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return seconds === undefined ? time : `${seconds}.${fraction.padEnd(9, "0")}Z`;
}
