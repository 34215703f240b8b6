// Streams of one thread: fixed input, collected output, nothing at all. For unit tests and the library's in-thread runs.
import { LapError } from "@lapstrake/base";
import type { GuestInput, GuestOutput, StreamKind } from "./ports.ts";

/** Input that ends at once: what a container without stdin has. */
export const EMPTY_INPUT: GuestInput = { kind: "pipe", read: () => 0, ready: () => -1, wait: () => undefined };

/** Output that forgets. */
export const NULL_OUTPUT: GuestOutput = { kind: "pipe", write: (_from, _offset, length) => length };

/** Input of given bytes. */
export function bytesInput(bytes: Uint8Array, kind: StreamKind = "pipe"): GuestInput {
  let position = 0;
  return {
    kind,
    ready: () => (position < bytes.length ? bytes.length - position : -1),
    wait: () => undefined,
    read(into, offset, length) {
      const part = bytes.subarray(position, position + length);
      into.set(part, offset);
      position += part.length;
      return part.length;
    },
  };
}

/** Output that hands each chunk to `take`; the chunk is a copy. */
export function chunkOutput(take: (chunk: Uint8Array) => void, kind: StreamKind = "pipe"): GuestOutput {
  return {
    kind,
    write(from, offset, length) {
      if (length > 0) take(from.slice(offset, offset + length));
      return length;
    },
  };
}

/** Counts what several outputs take together and throws the typed limit error beyond `maxBytes`. */
export class OutputLimit {
  readonly #maxBytes: number;
  #taken = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  guard(inner: GuestOutput): GuestOutput {
    return {
      kind: inner.kind,
      write: (from, offset, length) => {
        if (this.#taken + length > this.#maxBytes) throw outputLimitError(this.#maxBytes);
        const taken = inner.write(from, offset, length);
        this.#taken += taken;
        return taken;
      },
      close: () => inner.close?.(),
    };
  }
}

function outputLimitError(maxBytes: number): LapError {
  return new LapError("resourceExhausted", "ERR_LAP_WASM_OUTPUT", `the guest wrote more than ${maxBytes} bytes`, {
    hint: "raise limits.outputBytes",
    detail: { limit: "outputBytes", value: maxBytes },
  });
}
