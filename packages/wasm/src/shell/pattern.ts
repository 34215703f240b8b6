// Pattern matching notation (XCU 2.13): *, ?, [...], with backslash as the quote of a pattern's characters.
import type { ByteString } from "@lapstrake/base";

const CLASSES: Readonly<Record<string, string>> = {
  alpha: "A-Za-z",
  digit: "0-9",
  alnum: "A-Za-z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: " \\t-\\r",
  blank: " \\t",
  punct: "!-\\/:-@\\[-`{-~",
  xdigit: "0-9A-Fa-f",
  cntrl: "\\x00-\\x1f\\x7f",
  print: "\\x20-\\x7e",
  graph: "!-~",
};

/** `text` as a pattern that matches only itself. */
export function quotePattern(text: ByteString): ByteString {
  return text.replace(/[\\*?[\]!^-]/g, "\\$&");
}

/** The text that a pattern without active characters stands for, undefined when it has some. */
export function literalOf(pattern: ByteString): ByteString | undefined {
  return /(?:^|[^\\])(?:\\\\)*[*?[]/.test(pattern) ? undefined : pattern.replace(/\\(.)/gs, "$1");
}

/** True when the pattern matches all of `text`. */
export function matches(pattern: ByteString, text: ByteString): boolean {
  return compilePattern(pattern).test(text);
}

/** The pattern as an anchored regular expression over bytes. */
export function compilePattern(pattern: ByteString): RegExp {
  let out = "";
  for (let at = 0; at < pattern.length;) {
    const [source, next] = one(pattern, at);
    // A row of stars is one star: else the expression would backtrack without bound.
    if (source !== ANY || !out.endsWith(ANY)) out += source;
    at = next;
  }
  return new RegExp(`^${out}$`, "s");
}

const ANY = ".*";

function one(pattern: ByteString, at: number): [string, number] {
  const next = pattern[at]!;
  if (next === "*") return [ANY, at + 1];
  if (next === "?") return [".", at + 1];
  if (next === "\\" && at + 1 < pattern.length) return [escape(pattern[at + 1]!), at + 2];
  return (next === "[" ? bracket(pattern, at) : undefined) ?? [escape(next), at + 1];
}

/** A bracket expression, undefined when it never closes. */
function bracket(pattern: ByteString, start: number): [string, number] | undefined {
  let at = start + 1;
  const negated = pattern[at] === "!" || pattern[at] === "^";
  if (negated) at += 1;
  let body = "";
  for (const first = at; at < pattern.length;) {
    if (pattern[at] === "]" && at > first) return [`[${negated ? "^" : ""}${body}]`, at + 1];
    const [source, next] = member(pattern, at);
    body += source;
    at = next;
  }
  return undefined;
}

function member(pattern: ByteString, at: number): [string, number] {
  const name = /^\[:(\w+):\]/.exec(pattern.slice(at, at + 12))?.[1];
  const known = name === undefined ? undefined : CLASSES[name];
  if (known !== undefined) return [known, at + name!.length + 4];
  const [low, afterLow] = character(pattern, at);
  if (pattern[afterLow] !== "-" || pattern[afterLow + 1] === "]" || afterLow + 1 >= pattern.length) {
    return [inBracket(low), afterLow];
  }
  const [high, afterHigh] = character(pattern, afterLow + 1);
  return [low <= high ? `${inBracket(low)}-${inBracket(high)}` : "", afterHigh];
}

function character(pattern: ByteString, at: number): [string, number] {
  return pattern[at] === "\\" && at + 1 < pattern.length ? [pattern[at + 1]!, at + 2] : [pattern[at]!, at + 1];
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function inBracket(text: string): string {
  return text.replace(/[\\\]^[-]/g, "\\$&");
}
