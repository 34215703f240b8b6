// The lines of the events file, from its oldest kept one, also over rotations: the file being read stays open, newer ones are found by inode.
import { closeSync, fstatSync, mkdirSync, openSync, readSync, watch } from "node:fs";
import { damaged } from "../state/read-stored.ts";
import { errorCode } from "@lapstrake/base";
import { eventsDir, eventsFile } from "./emit.ts";
import { parseEvent, type EngineEvent } from "./event.ts";

const CHUNK_BYTES = 64 * 1024;
/** A watch may lose what a poll finds. */
const POLL_MS = 1_000;

/** Events in the order they were written; each call of `drain` gives what is new. */
export class EventReader implements Disposable {
  readonly #root: string;
  #current: { readonly fd: number; readonly ino: number; rest: Buffer } | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** Goes to the end: what is there now is not given. */
  skip(): void {
    for (const _ of this.drain()) continue;
  }

  *drain(): Generator<EngineEvent> {
    if (this.#current !== undefined) yield* this.#read();
    for (const next of this.#newer()) {
      // Who had the old file open may have written to it until now.
      if (this.#current !== undefined) {
        yield* this.#read();
        closeSync(this.#current.fd);
      }
      this.#current = { ...next, rest: Buffer.alloc(0) };
      yield* this.#read();
    }
  }

  /** Files after the current one, oldest first. */
  #newer(): { readonly fd: number; readonly ino: number }[] {
    const found: { readonly fd: number; readonly ino: number }[] = [];
    const file = eventsFile(this.#root);
    for (const path of [file, `${file}.1`]) {
      const next = openFile(path);
      if (next === undefined) continue;
      const isKnown = next.ino === this.#current?.ino || found.some(({ ino }) => ino === next.ino);
      if (isKnown) closeSync(next.fd);
      else found.push(next);
      if (next.ino === this.#current?.ino) break;
    }
    return found.toReversed();
  }

  *#read(): Generator<EngineEvent> {
    const from = this.#current!;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let got = readSync(from.fd, chunk); got > 0; got = readSync(from.fd, chunk)) {
      const bytes = Buffer.concat([from.rest, chunk.subarray(0, got)]);
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        const event = parseEvent(bytes.toString("utf8", start, end));
        start = end + 1;
        if (event !== undefined) yield event;
      }
      from.rest = Buffer.from(bytes.subarray(start));
    }
  }

  [Symbol.dispose](): void {
    if (this.#current !== undefined) closeSync(this.#current.fd);
    this.#current = undefined;
  }
}

function openFile(path: string): { readonly fd: number; readonly ino: number } | undefined {
  try {
    const fd = openSync(path, "r");
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw damaged("log of events", path);
    return { fd, ino: stat.ino };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** A wait that ends when the events folder changed, at `deadlineMs` (epoch), on abort, and from time to time. */
export interface EventWatch extends Disposable {
  next(deadlineMs: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Starts to watch; what happens from now on is not missed. */
export function watchEvents(root: string): EventWatch {
  mkdirSync(eventsDir(root), { recursive: true, mode: 0o700 });
  let changed = false;
  let wake: () => void = () => undefined;
  const watcher = watch(eventsDir(root), () => {
    changed = true;
    wake();
  });
  // The folder goes with its store; then there is nothing more to see.
  watcher.on("error", () => undefined);
  return {
    async next(deadlineMs, signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const end = (): void => resolve();
      wake = end;
      const timer = setTimeout(end, Math.max(0, Math.min(POLL_MS, deadlineMs - Date.now())));
      signal?.addEventListener("abort", end, { once: true });
      if (!changed && signal?.aborted !== true) await promise;
      changed = false;
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    },
    [Symbol.dispose]: () => watcher.close(),
  };
}
