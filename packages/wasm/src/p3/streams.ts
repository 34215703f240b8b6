// stream<u8> of 0.3 as jco's glue sees it: what the guest reads is an iterable of chunks, what it writes is read by us.
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { untilReadable, type Preview3Host } from "./host.ts";

/** Bytes of one chunk. */
const CHUNK = 65_536;

/** `result<_, E>` as the value of a future. */
export type Outcome<E> = { readonly tag: "ok"; readonly val: undefined } | { readonly tag: "err"; readonly val: E };

/** The outcome without a value. */
export const OK: { readonly tag: "ok"; readonly val: undefined } = { tag: "ok", val: undefined };

/** A stream that the guest writes: the glue's object; `value` is a number or numbers. */
export interface GuestStream {
  read(options: {
    readonly count: number;
  }): Promise<{ readonly done: boolean; readonly value?: Iterable<number> | number }>;
  [Symbol.dispose]?(): void;
}

/** What a guest reads: chunks until the end, and a future that tells how it ended. */
export type ReadPair<T, E> = [stream: Iterable<T> | AsyncIterable<T>, end: Promise<Outcome<E>>];

/** A promise and the function that settles it. */
function outcome<E>(): { readonly promise: Promise<Outcome<E>>; readonly settle: (value: Outcome<E>) => void } {
  let settle: (value: Outcome<E>) => void = () => undefined;
  const promise = new Promise<Outcome<E>>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

/** The outcome of a failure; anything but a failed call ends the guest. */
export function failure<E>(host: Preview3Host, error: unknown, fail: (error: unknown) => E): Outcome<E> | undefined {
  try {
    return { tag: "err", val: fail(error) };
  } catch (fatal) {
    host.fatal(fatal);
    return undefined;
  }
}

/** What waits for the end of a guest waits for ever. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** Ends a source once: with what happened, or because the guest stopped reading, which is no error. */
function ending<E>(settle: (value: Outcome<E>) => void, drop: () => void): (value: Outcome<E>) => void {
  let ended = false;
  return (value) => {
    if (ended) return;
    ended = true;
    settle(value);
    drop();
  };
}

/** Items of a source that never waits: files, directories. `next` gives undefined at the end; `fail` the code of what it throws. */
export function readItems<T, E>(
  host: Preview3Host,
  next: () => T | undefined,
  drop: () => void,
  fail: (error: unknown) => E,
): ReadPair<T, E> {
  const { promise, settle } = outcome<E>();
  const end = ending(settle, drop);
  const take = (): IteratorResult<T> => {
    try {
      const value = next();
      if (value !== undefined) return { done: false, value };
      end(OK);
    } catch (error) {
      end(failure(host, error, fail) ?? OK);
    }
    return { done: true, value: undefined };
  };
  const stop = (): IteratorResult<T> => {
    end(OK);
    return { done: true, value: undefined };
  };
  // Not a generator: one that was never started would not notice that it is dropped.
  return [{ [Symbol.iterator]: () => ({ next: take, return: stop }) }, promise];
}

/** A stream that failed before its first item. */
export function failedRead<T, E>(code: E): ReadPair<T, E> {
  return [[], Promise.resolve({ tag: "err", val: code })];
}

/** Bytes of a stream that may have to be waited for. */
export function readInput<E>(
  host: Preview3Host,
  input: GuestInput,
  fail: (error: unknown) => E,
): ReadPair<Uint8Array, E> {
  const { promise, settle } = outcome<E>();
  const end = ending(settle, () => undefined);
  const chunk = new Uint8Array(CHUNK);
  const take = async (): Promise<IteratorResult<Uint8Array>> => {
    try {
      await untilReadable(host, input);
      const count = input.read(chunk, 0, CHUNK);
      if (count > 0) return { done: false, value: chunk.slice(0, count) };
      end(OK);
    } catch (error) {
      const failed = failure(host, error, fail);
      if (failed === undefined) return never();
      end(failed);
    }
    return { done: true, value: undefined };
  };
  const stop = (): Promise<IteratorResult<Uint8Array>> => {
    end(OK);
    return Promise.resolve({ done: true, value: undefined });
  };
  return [{ [Symbol.asyncIterator]: () => ({ next: take, return: stop }) }, promise];
}

/** Writes all that the guest's stream gives. */
export async function writeStream<E>(
  host: Preview3Host,
  stream: GuestStream,
  output: GuestOutput,
  fail: (error: unknown) => E,
): Promise<Outcome<E>> {
  try {
    for (;;) {
      const { done, value } = await stream.read({ count: CHUNK });
      host.interrupt.check();
      if (value !== undefined) writeAll(output, bytesOf(value));
      if (done) return OK;
    }
  } catch (error) {
    return failure(host, error, fail) ?? never();
  } finally {
    stream[Symbol.dispose]?.();
  }
}

/** What a guest's stream gave. */
export function bytesOf(value: Iterable<number> | number): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return typeof value === "number" ? Uint8Array.of(value) : Uint8Array.from(value);
}

function writeAll(output: GuestOutput, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += output.write(bytes, at, bytes.length - at);
}
