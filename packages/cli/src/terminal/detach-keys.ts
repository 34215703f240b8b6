// The key sequence that leaves a container running (`ctrl-p,ctrl-q`), recognised in a stream of input bytes.
import { LapError } from "@lapstrake/base";

const DEFAULT = "ctrl-p,ctrl-q";

/** Bytes of `ctrl-a,d`. Throws `ERR_LAP_FLAG_VALUE`. */
export function parseDetachKeys(text: string = DEFAULT): number[] {
  return text.split(",").map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 64;
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_FLAG_VALUE",
      `invalid detach keys (${text}): unknown character: '${key}'`,
    );
  });
}

/** Holds back bytes that may begin the sequence; `feed` gives what passes and whether the sequence is complete. */
export class DetachScanner {
  readonly #keys: readonly number[];
  #matched = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  feed(chunk: Uint8Array): { readonly pass: Uint8Array; readonly detached: boolean } {
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        if (++this.#matched === this.#keys.length) return { pass: Uint8Array.from(pass), detached: true };
        continue;
      }
      pass.push(...this.#keys.slice(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }
}
