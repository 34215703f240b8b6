// read: one line of descriptor 0, byte by byte (what follows the line belongs to the next reader), split by IFS into variables.
import type { ByteString } from "@lapstrake/base";
import { readObject } from "../../processes/objects.ts";
import type { Shell } from "../shell.ts";
import { shellError } from "../state.ts";

/** `read [-r] name…`: 1 at the end of input. */
export function read(shell: Shell, args: readonly ByteString[]): number {
  const raw = args[0] === "-r";
  const names = raw ? args.slice(1) : args;
  if (names.length === 0) throw shellError("read: arg count");
  const { line, kept, ended } = readLine(shell, raw);
  assign(shell, names, line, kept);
  return Number(ended);
}

interface Line {
  readonly line: ByteString;
  /** True where a backslash kept a character from splitting. */
  readonly kept: readonly boolean[];
  readonly ended: boolean;
}

function readLine(shell: Shell, raw: boolean): Line {
  const byte = new Uint8Array(1);
  const input = shell.state.fd(0);
  const next = (): string | undefined =>
    readObject(shell.state.fs, input, byte) === 0 ? undefined : String.fromCharCode(byte[0]!);
  let line = "";
  const kept: boolean[] = [];
  for (let char = next(); char !== "\n"; char = next()) {
    if (char === undefined) return { line, kept, ended: true };
    const escaped = char === "\\" && !raw;
    if (escaped) char = next();
    if (char === undefined) return { line, kept, ended: true };
    if (escaped && char === "\n") continue;
    line += char;
    kept.push(escaped);
  }
  return { line, kept, ended: false };
}

/** Each name gets a field, the last one the rest of the line with its delimiters. */
function assign(shell: Shell, names: readonly ByteString[], line: ByteString, kept: readonly boolean[]): void {
  const ifs = shell.state.get("IFS") ?? " \t\n";
  const isSpace = (at: number): boolean => !kept[at] && ifs.includes(line[at]!) && " \t\n".includes(line[at]!);
  const isDelimiter = (at: number): boolean => !kept[at] && ifs.includes(line[at]!);
  const skipSpaces = (from: number): number => {
    let at = from;
    while (at < line.length && isSpace(at)) at += 1;
    return at;
  };
  let at = skipSpaces(0);
  for (const name of names.slice(0, -1)) {
    let end = at;
    while (end < line.length && !isDelimiter(end)) end += 1;
    shell.state.set(name, line.slice(at, end));
    at = skipSpaces(end);
    if (at < line.length && isDelimiter(at) && !isSpace(at) && at > end - 1) at = skipSpaces(at + 1);
  }
  shell.state.set(names.at(-1)!, lastField(line, at, isSpace, isDelimiter));
}

/** The rest without trailing white space; a single trailing delimiter that ends the only field left goes too. */
function lastField(
  line: ByteString,
  from: number,
  isSpace: (at: number) => boolean,
  isDelimiter: (at: number) => boolean,
): ByteString {
  let end = line.length;
  while (end > from && isSpace(end - 1)) end -= 1;
  const last = end - 1;
  if (last >= from && isDelimiter(last)) {
    let before = last;
    while (before > from && isSpace(before - 1)) before -= 1;
    const inner = Array.from({ length: before - from }, (_, index) => from + index);
    if (!inner.some((at) => isDelimiter(at))) return line.slice(from, before);
  }
  return line.slice(from, end);
}
