// From words to fields: parameters, command substitution, splitting, patterns, quote removal (POSIX Shell Command Language 2.6).
import type { InodeFs } from "@lapstrake/layers";
import { expandGlob, hasMagic, patternSource } from "./glob.ts";
import type { List, Modifier, Part, Word } from "./syntax.ts";

/** What expansion needs to know of the shell. */
export interface Expander {
  readonly fs: InodeFs;
  readonly cwd: string;
  /** A variable or special parameter; undefined when unset. */
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  /** $1, $2, … */
  readonly positional: readonly string[];
  /** Output of a command substitution, trailing newlines removed. */
  capture(list: List): string;
}

/** `${x:?word}`, or an error of the same kind: ends the shell with status 2. */
export class ExpansionError extends Error {}

/** Text with, per letter, whether it was quoted. */
interface Piece {
  readonly text: string;
  readonly quoted: boolean;
  /** May be split into fields. */
  readonly split: boolean;
}

const IFS = /[ \t\n]+/;

/** The fields of several words. */
export function expandWords(shell: Expander, words: readonly Word[]): string[] {
  return words.flatMap((word) => expandFields(shell, word));
}

/** One field, without splitting and patterns: assignments, redirections, here-documents. */
export function expandText(shell: Expander, word: Word): string {
  return word.map((part) => textOf(shell, part)).join("");
}

function expandFields(shell: Expander, word: Word): string[] {
  const fields: Piece[][] = [[]];
  for (const part of word) addPart(shell, part, fields);
  return fields.filter((pieces) => pieces.length > 0).flatMap((pieces) => globbed(shell, pieces));
}

function addPart(shell: Expander, part: Part, fields: Piece[][]): void {
  if (part.kind === "param" && part.quoted && part.name === "@" && part.modifier === undefined) {
    for (const [index, text] of shell.positional.entries()) {
      if (index > 0) fields.push([]);
      fields.at(-1)!.push({ text, quoted: true, split: false });
    }
    return;
  }
  const text = textOf(shell, part);
  if (part.quoted || part.kind === "text") {
    fields.at(-1)!.push({ text, quoted: part.quoted, split: false });
    return;
  }
  addSplit(text, fields);
}

function addSplit(text: string, fields: Piece[][]): void {
  for (const [index, piece] of text.split(IFS).entries()) {
    if (index > 0 && fields.at(-1)!.length > 0) fields.push([]);
    if (piece !== "") fields.at(-1)!.push({ text: piece, quoted: false, split: true });
  }
}

function globbed(shell: Expander, pieces: readonly Piece[]): string[] {
  const plain = pieces.map(({ text }) => text).join("");
  if (!pieces.some(({ text, quoted }) => !quoted && hasMagic(text))) return [plain];
  const pattern = pieces
    .map(({ text, quoted }) => (quoted ? text.replaceAll(/[*?[\\]/g, String.raw`\$&`) : text))
    .join("");
  return expandGlob(shell.fs, shell.cwd, pattern);
}

function textOf(shell: Expander, part: Part): string {
  if (part.kind === "text") return part.text;
  if (part.kind === "command") return shell.capture(part.list);
  const value = part.name === "@" || part.name === "*" ? shell.positional.join(" ") : shell.get(part.name);
  return part.modifier === undefined ? (value ?? "") : modified(shell, part.name, value, part.modifier);
}

function modified(shell: Expander, name: string, value: string | undefined, { op, word }: Modifier): string {
  const missing = value === undefined || (op.startsWith(":") && value === "");
  const kind = op.replace(":", "");
  if (kind === "length") return String((value ?? "").length);
  if (kind === "+") return missing ? "" : expandText(shell, word);
  if (kind === "%" || kind === "%%" || kind === "#" || kind === "##") {
    return trimmed(value ?? "", kind, word.map((part) => patternText(shell, part)).join(""));
  }
  if (!missing) return value ?? "";
  const fallback = expandText(shell, word);
  if (kind === "=") shell.set(name, fallback);
  if (kind === "?") throw new ExpansionError(`${name}: ${fallback === "" ? "parameter not set" : fallback}`);
  return fallback;
}

/** Text inside `${…}` was read as if quoted, but its stars mean patterns. */
function patternText(shell: Expander, part: Part): string {
  return textOf(shell, part);
}

function trimmed(value: string, op: string, pattern: string): string {
  const source = patternSource(pattern);
  const lengths = Array.from({ length: value.length + 1 }, (_, index) => index);
  const fromEnd = op.startsWith("%");
  const ordered = op.length === 1 ? lengths : lengths.toReversed();
  const test = new RegExp(`^${source}$`, "u");
  const hit = ordered.find((count) => test.test(fromEnd ? value.slice(value.length - count) : value.slice(0, count)));
  if (hit === undefined) return value;
  return fromEnd ? value.slice(0, value.length - hit) : value.slice(hit);
}
