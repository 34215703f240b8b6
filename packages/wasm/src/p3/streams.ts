// stream<u8> of 0.3 as jco's glue sees it: what the guest reads is an iterable of chunks, what it writes is read by us.
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import type { ComponentHost } from "../p2/host.ts";
import { untilReadable } from "./host-task.ts";

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
function outcome<E>(): { readonly promise: Promise<Outcome<E>>; settle(value: Outcome<E>): void } {
  let settle: (value: Outcome<E>) => void = () => undefined;
  const promise = new Promise<Outcome<E>>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

/** Items of a source that never waits: files, directories. `fail` gives the code of what it throws, or throws on. */
export function readItems<T, E>(items: Iterator<T>, drop: () => void, fail: (error: unknown) => E): ReadPair<T, E> {
  const { promise, settle } = outcome<E>();
  function* values(): Generator<T> {
    try {
      for (let item = items.next(); item.done !== true; item = items.next()) yield item.value;
      settle(OK);
    } catch (error) {
      settle({ tag: "err", val: fail(error) });
    } finally {
      // The guest stopped reading: that is no error.
      settle(OK);
      drop();
    }
  }
  return [values(), promise];
}

/** Bytes of a stream that may have to be waited for. */
export function readInput<E>(
  host: ComponentHost,
  input: GuestInput,
  fail: (error: unknown) => E,
): ReadPair<Uint8Array, E> {
  const { promise, settle } = outcome<E>();
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const chunk = new Uint8Array(CHUNK);
    try {
      for (;;) {
        await untilReadable(host, input);
        const count = input.read(chunk, 0, CHUNK);
        if (count === 0) break;
        yield chunk.slice(0, count);
      }
    } catch (error) {
      settle({ tag: "err", val: fail(error) });
    } finally {
      settle(OK);
    }
  }
  return [chunks(), promise];
}

/** Writes all that the guest's stream gives. */
export async function writeStream<E>(
  host: ComponentHost,
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
    return { tag: "err", val: fail(error) };
  } finally {
    stream[Symbol.dispose]?.();
  }
}

function bytesOf(value: Iterable<number> | number): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return typeof value === "number" ? Uint8Array.of(value) : Uint8Array.from(value);
}

function writeAll(output: GuestOutput, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += output.write(bytes, at, bytes.length - at);
}
