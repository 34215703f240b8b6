// The files of a rotated log: `path` is being written, `path.1` was before it, `path.2` before that; `.gz` behind the number are compressed.
// A rotation, or a compression, may happen between any two looks.
import { compressedKey, LineReader, type LogEntry } from "./line-reader.ts";

/** Names that may be missing while others are there: one moves while we look. */
const MISSES = 2;

/** Every file of a log, also over rotations: the file being read is kept open, newer ones are found by what they begin with. */
export class LogFiles implements Disposable {
  readonly #path: string;
  #current: LineReader | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** What is being read; it names the position of the last entry that was given. */
  get current(): LineReader | undefined {
    return this.#current;
  }

  /** Every whole line that is there now and was not given before, read as it is asked for. */
  async *drain(): AsyncGenerator<LogEntry> {
    if (this.#current !== undefined) yield* this.#current.drain();
    yield* this.#readOn(await this.#newer());
  }

  /** {@link drain} from a place on that an earlier reading came to; all when that is gone. */
  async *drainFrom(key: string, offset: number): AsyncGenerator<LogEntry> {
    const found = await this.#newer();
    const at = found.findIndex((reader) => reader.key === key);
    for (const reader of found.splice(0, Math.max(0, at))) reader[Symbol.dispose]();
    if (at >= 0) found[0]!.seek(offset);
    yield* this.#readOn(found);
  }

  /** The last `lines`, and some that may be no entries. */
  async *drainTail(lines: number): AsyncGenerator<LogEntry> {
    yield* this.#readOn(await this.#newer(lines));
  }

  *#readOn(readers: readonly LineReader[]): Generator<LogEntry> {
    for (const next of readers) {
      // What was written before its name changed.
      if (this.#current !== undefined) yield* this.#current.drain();
      this.#current?.[Symbol.dispose]();
      this.#current = next;
      yield* next.drain();
    }
  }

  [Symbol.dispose](): void {
    this.#current?.[Symbol.dispose]();
    this.#current = undefined;
  }

  /** Opened newest first, so that a rotation meanwhile shows a file twice (dropped) rather than never. Oldest first. */
  async #newer(lines = Infinity): Promise<LineReader[]> {
    const found: LineReader[] = [];
    let left = lines;
    for (let n = 0, misses = 0; misses < MISSES && left > 0; n++) {
      const reader = await this.#open(n, found);
      if (reader === "known") break;
      if (reader === undefined) misses++;
      else if (reader !== "twice") {
        found.push(reader);
        if (Number.isFinite(lines)) left -= reader.seekTail(left);
      }
    }
    return found.toReversed();
  }

  async #open(n: number, found: readonly LineReader[]): Promise<LineReader | "known" | "twice" | undefined> {
    const plain = LineReader.open(n === 0 ? this.#path : `${this.#path}.${n}`);
    const file = `${this.#path}.${n}.gz`;
    const like = plain ?? { ino: -1, key: n === 0 ? undefined : compressedKey(file) };
    if (plain === undefined && like.key === undefined) return undefined;
    const isKnown = this.#current !== undefined && isSame(like, this.#current);
    if (!isKnown && !found.some((other) => isSame(like, other)))
      return plain ?? (await LineReader.openCompressed(file));
    plain?.[Symbol.dispose]();
    return isKnown ? "known" : "twice";
  }
}

interface Identity {
  readonly ino: number;
  readonly key: string | undefined;
}

function isSame(a: Identity, b: Identity): boolean {
  return a.ino === b.ino || (a.key !== undefined && a.key === b.key);
}
