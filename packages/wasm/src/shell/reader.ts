// A cursor over script text, with the syntax errors it reports. The lexical rules (XCU 2.2, 2.3) are in words.ts and parser.ts.
import { LapError, type ByteString } from "@lapstrake/base";

/** A script that cannot be parsed; `line` counts from 1. */
export function syntaxError(message: string, line: number): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SHELL_SYNTAX", `shell syntax error in line ${line}: ${message}`, {
    detail: { line },
  });
}

export class Reader {
  readonly source: ByteString;
  at = 0;

  constructor(source: ByteString) {
    this.source = source;
  }

  get done(): boolean {
    return this.at >= this.source.length;
  }

  get line(): number {
    return this.source.slice(0, this.at).split("\n").length;
  }

  peek(ahead = 0): string {
    return this.source[this.at + ahead] ?? "";
  }

  startsWith(text: string): boolean {
    return this.source.startsWith(text, this.at);
  }

  /** Takes `text` when it comes next. */
  accept(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.at += text.length;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) throw this.unexpected(`"${text}"`);
  }

  /** Takes one character. */
  next(): string {
    return this.source[this.at++] ?? "";
  }

  /** Takes what `pattern` (sticky) matches, "" when it does not. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  /** Takes up to `stop` and the stop itself; `what` names the construct that is open. */
  until(stop: string, what: string): ByteString {
    const end = this.source.indexOf(stop, this.at);
    if (end < 0) throw syntaxError(`unterminated ${what}`, this.line);
    const text = this.source.slice(this.at, end);
    this.at = end + stop.length;
    return text;
  }

  unexpected(wanted?: string): LapError {
    const found = this.done ? "end of file" : `"${/\S+|\n/.exec(this.source.slice(this.at))?.[0] ?? this.peek()}"`;
    return syntaxError(
      wanted === undefined ? `unexpected ${found}` : `unexpected ${found}, expecting ${wanted}`,
      this.line,
    );
  }
}
