// Go template text -> literal text and actions' tokens, each with its place for errors (text/template, text/template/parse/lex.go).
import { LapError } from "@lapstrake/base";

/** Literal text, or the tokens between {{ and }}. */
export type Part = { readonly text: string } | { readonly tokens: readonly Token[]; readonly at: number };

export interface Token {
  readonly kind: "field" | "variable" | "word" | "string" | "char" | "number" | "mark";
  readonly text: string;
  /** Offset in the template. */
  readonly at: number;
  /** Blanks stand before it: `.A .B` is two operands, `.A.B` one. */
  readonly isApart: boolean;
}

const TOKEN =
  /(?<blank>\s+)|(?<comment>\/\*[\s\S]*?\*\/)|(?<close>}})|(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<char>'(?:[^'\\\n]|\\.)+')|(?<number>[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?))|(?<field>\.[A-Za-z_]\w*|\.)|(?<variable>\$\w*)|(?<word>[A-Za-z_]\w*)|(?<mark>:=|[|(),=])/y;

/** Splits a template; `{{-` and `-}}` trim. Throws `ERR_LAP_TEMPLATE`. */
export function lexTemplate(source: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  let isTrimmed = false;
  for (;;) {
    const open = source.indexOf("{{", at);
    const trimsLeft = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4));
    let literal = source.slice(at, open < 0 ? undefined : open);
    if (isTrimmed) literal = literal.trimStart();
    if (trimsLeft) literal = literal.trimEnd();
    if (literal !== "") parts.push({ text: literal });
    if (open < 0) return parts;
    const action = lexAction(source, open + (trimsLeft ? 3 : 2));
    if (action.tokens.length > 0 || !action.isComment) parts.push({ tokens: action.tokens, at: open + 2 });
    at = action.end;
    isTrimmed = action.trimsRight;
  }
}

interface Action {
  readonly tokens: readonly Token[];
  readonly end: number;
  readonly trimsRight: boolean;
  readonly isComment: boolean;
}

function lexAction(source: string, start: number): Action {
  const tokens: Token[] = [];
  let isApart = true;
  let isComment = false;
  for (let at = start; at < source.length;) {
    if (/^\s-}}/.test(source.slice(at, at + 4))) return { tokens, end: at + 4, trimsRight: true, isComment };
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) throw badCharacter(source, at);
    const [kind = "", text = ""] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    if (kind === "close") return { tokens, end: TOKEN.lastIndex, trimsRight: false, isComment };
    if (kind === "comment") isComment = true;
    else if (kind !== "blank") tokens.push({ kind: kind as Token["kind"], text, at, isApart });
    isApart = kind === "blank";
    at = TOKEN.lastIndex;
  }
  throw templateError("unclosed action");
}

function badCharacter(source: string, at: number): LapError {
  const char = source[at]!;
  if (char === '"' || char === "`") return templateError(`unterminated ${char === '"' ? "" : "raw "}quoted string`);
  if (char === "'") return templateError("unterminated character constant");
  const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return templateError(`unexpected bad character U+${code} '${char}' in command`);
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Text of a Go string or character literal. */
export function unquote(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith("`")) return inner;
  return inner.replaceAll(
    /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([0-7]{3})|(.))/gi,
    (_, hex?: string, u4?: string, u8?: string, octal?: string, char?: string) => {
      if (char !== undefined) return ESCAPES[char] ?? char;
      return String.fromCodePoint(
        octal === undefined ? Number.parseInt(hex ?? u4 ?? u8 ?? "0", 16) : Number.parseInt(octal, 8),
      );
    },
  );
}

/** A mistake in the template's text, in docker's words; inspect, info and version end with 64 then. */
export function templateError(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_TEMPLATE_TEXT", `template parsing error: template: :1: ${message}`);
}
