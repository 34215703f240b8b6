// Reading words: quotes, escapes, parameters and command substitution (POSIX Shell Command Language 2.2, 2.6).
import { ShellSyntaxError, type List, type Part, type Word } from "./syntax.ts";

/** A place in the program text. */
export interface Cursor {
  readonly text: string;
  at: number;
}

/** Parses the commands of `$(…)` up to the closing parenthesis. */
export type ListReader = (cursor: Cursor) => List;

const ENDS_WORD: ReadonlySet<string> = new Set([" ", "\t", "\n", ";", "&", "|", "<", ">", "(", ")", ""]);
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPECIAL = /[0-9?#@*$!-]/y;
const MODIFIER = /:?[-=+?]|%%?|##?/y;

/** The word at the cursor, or undefined when none starts there. */
export function readWord(cursor: Cursor, readList: ListReader): Word | undefined {
  const parts: Part[] = [];
  while (!ENDS_WORD.has(peek(cursor))) parts.push(...readPart(cursor, readList));
  return parts.length === 0 ? undefined : parts;
}

function peek({ text, at }: Cursor): string {
  return text[at] ?? "";
}

function readPart(cursor: Cursor, readList: ListReader): Part[] {
  const letter = peek(cursor);
  if (letter === "'") return [{ kind: "text", text: readSingle(cursor), quoted: true }];
  if (letter === '"') return readDouble(cursor, readList);
  if (letter === "\\") return [readEscape(cursor)];
  if (letter === "$" || letter === "`") return [readDollar(cursor, readList, false)];
  return [{ kind: "text", text: readPlain(cursor), quoted: false }];
}

function readPlain(cursor: Cursor): string {
  const start = cursor.at;
  while (!ENDS_WORD.has(peek(cursor)) && !"'\"\\$`".includes(peek(cursor))) cursor.at += 1;
  return cursor.text.slice(start, cursor.at);
}

function readSingle(cursor: Cursor): string {
  const end = cursor.text.indexOf("'", cursor.at + 1);
  if (end < 0) throw new ShellSyntaxError("unterminated quoted string");
  const text = cursor.text.slice(cursor.at + 1, end);
  cursor.at = end + 1;
  return text;
}

function readEscape(cursor: Cursor): Part {
  const next = cursor.text[cursor.at + 1] ?? "\\";
  cursor.at += 2;
  return { kind: "text", text: next === "\n" ? "" : next, quoted: true };
}

/** `"…"`: an empty text keeps `""` a word. */
function readDouble(cursor: Cursor, readList: ListReader): Part[] {
  cursor.at += 1;
  const parts = readQuoted(cursor, readList, '"');
  cursor.at += 1;
  return [{ kind: "text", text: "", quoted: true }, ...parts];
}

/** Text in which only `$`, backquote and some escapes are special; up to `end`, or the end of the text when `end` is "". */
export function readQuoted(cursor: Cursor, readList: ListReader, end: string): Part[] {
  const parts: Part[] = [];
  let text = "";
  const flush = (): void => {
    if (text !== "") parts.push({ kind: "text", text, quoted: true });
    text = "";
  };
  for (;;) {
    const letter = peek(cursor);
    if (letter === end) break;
    if (letter === "") throw new ShellSyntaxError("unterminated quoted string");
    if (letter === "$" || letter === "`") {
      flush();
      parts.push(readDollar(cursor, readList, true));
    } else if (letter === "\\" && '$`"\\\n'.includes(cursor.text[cursor.at + 1] ?? "x")) {
      const next = cursor.text[cursor.at + 1]!;
      text += next === "\n" ? "" : next;
      cursor.at += 2;
    } else {
      text += letter;
      cursor.at += 1;
    }
  }
  flush();
  return parts;
}

function readDollar(cursor: Cursor, readList: ListReader, quoted: boolean): Part {
  if (peek(cursor) === "`") throw new ShellSyntaxError("backquotes are not supported: use $(…)");
  const next = cursor.text[cursor.at + 1] ?? "";
  if (cursor.text.startsWith("$((", cursor.at)) throw new ShellSyntaxError("arithmetic is not supported");
  if (next === "(") {
    cursor.at += 2;
    const list = readList(cursor);
    if (peek(cursor) !== ")") throw new ShellSyntaxError('expected ")"');
    cursor.at += 1;
    return { kind: "command", list, quoted };
  }
  if (next === "{") return readBraces(cursor, readList, quoted);
  cursor.at += 1;
  const name = match(cursor, NAME) ?? match(cursor, SPECIAL);
  return name === undefined ? { kind: "text", text: "$", quoted } : { kind: "param", name, quoted };
}

function readBraces(cursor: Cursor, readList: ListReader, quoted: boolean): Part {
  cursor.at += 2;
  const length = peek(cursor) === "#" && cursor.text[cursor.at + 1] !== "}";
  if (length) cursor.at += 1;
  const name = match(cursor, NAME) ?? match(cursor, SPECIAL);
  if (name === undefined) throw new ShellSyntaxError("bad substitution");
  const op = length ? "length" : match(cursor, MODIFIER);
  const word = op === undefined || length ? [] : readQuoted(cursor, readList, "}");
  if (peek(cursor) !== "}") throw new ShellSyntaxError("bad substitution");
  cursor.at += 1;
  return { kind: "param", name, quoted, ...(op === undefined ? {} : { modifier: { op, word } }) };
}

function match(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.at += found.length;
  return found;
}
