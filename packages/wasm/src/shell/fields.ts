// Fields under construction: text with its pattern beside it, split where unquoted expansions say so (XCU 2.6.5).
import type { ByteString } from "@lapstrake/base";
import { quotePattern } from "./pattern.ts";

export interface Field {
  readonly text: ByteString;
  /** The text as a pattern: quoted characters carry a backslash. */
  readonly pattern: ByteString;
}

export class Fields {
  readonly done: Field[] = [];
  readonly #ifs: ByteString;
  #text: ByteString = "";
  #pattern: ByteString = "";
  #started = false;
  /** White space has ended a field, and a delimiter right after it belongs to the same end. */
  #afterSpace = false;

  /** `ifs` undefined: nothing is split. */
  constructor(ifs: ByteString) {
    this.#ifs = ifs;
  }

  /** Text that is neither split nor matched. */
  quoted(text: ByteString): void {
    this.#add(text, quotePattern(text));
  }

  /** Text of the script itself: matched, not split. */
  literal(text: ByteString): void {
    this.#add(text, text.replaceAll("\\", "\\\\"));
  }

  #add(text: ByteString, pattern: ByteString): void {
    this.#text += text;
    this.#pattern += pattern;
    this.#started = true;
    this.#afterSpace = false;
  }

  /** The result of an unquoted expansion. */
  split(value: ByteString): void {
    let from = 0;
    for (let at = 0; at < value.length; at++) {
      const char = value[at]!;
      if (!this.#ifs.includes(char)) continue;
      if (at > from) this.literal(value.slice(from, at));
      from = at + 1;
      if (" \t\n".includes(char)) this.#space();
      else this.#delimiter();
    }
    if (value.length > from) this.literal(value.slice(from));
  }

  #space(): void {
    if (!this.#started) return;
    this.end();
    this.#afterSpace = true;
  }

  #delimiter(): void {
    if (!this.#started && this.#afterSpace) this.#afterSpace = false;
    else {
      this.#started = true;
      this.end();
    }
  }

  /** Ends the field when there is one. */
  end(): void {
    if (!this.#started) return;
    this.done.push({ text: this.#text, pattern: this.#pattern });
    this.#text = "";
    this.#pattern = "";
    this.#started = false;
  }
}
