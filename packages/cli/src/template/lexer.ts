// Go template text -> literal text and actions' tokens (text/template, the part docker's --format is used with).
import { LapError } from "@lapstrake/base";

/** Literal text, or the tokens between {{ and }}. */
export type Part = { readonly text: string } | { readonly tokens: readonly Token[] };

export interface Token {
  readonly kind: "field" | "variable" | "word" | "string" | "number" | "mark";
  readonly text: string;
}

const TOKEN =
  /\s+|(?<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?<number>-?\d+(?:\.\d+)?)|(?<field>(?:\.[A-Za-z_]\w*)+|\.)|(?<variable>\$\w*)|(?<word>[A-Za-z_]\w*)|(?<mark>:=|[|(),=])/gy;

/** Splits a template; `{{-` and `-}}` trim. Throws `ERR_LAP_TEMPLATE`. */
export function lexTemplate(source: string): Part[] {
  const parts: Part[] = [];
  let rest = source;
  while (rest !== "") {
    const open = rest.indexOf("{{");
    if (open < 0) return [...parts, { text: rest }];
    const trimsLeft = /^\{\{-\s/.test(rest.slice(open));
    const literal = trimsLeft ? rest.slice(0, open).trimEnd() : rest.slice(0, open);
    if (literal !== "") parts.push({ text: literal });
    const close = rest.indexOf("}}", open);
    if (close < 0) throw templateError("unclosed action");
    let body = rest.slice(open + 2, close);
    if (trimsLeft) body = body.slice(1);
    const trimsRight = /\s-$/.test(body);
    if (trimsRight) body = body.slice(0, -1);
    rest = trimsRight ? rest.slice(close + 2).trimStart() : rest.slice(close + 2);
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(body)) parts.push({ tokens: lexAction(body) });
  }
  return parts;
}

function lexAction(body: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const match = TOKEN.exec(body);
    if (match === null) throw templateError(`unexpected "${body.trim()}" in command`);
    const [kind, text] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    if (kind !== undefined) tokens.push({ kind: kind as Token["kind"], text: text! });
  }
  return tokens;
}

/** Text of a Go string literal. */
export function unquote(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  return JSON.parse(text.replaceAll(/\\([^"\\/bfnrtu])/g, "\\\\$1")) as string;
}

/** A template mistake in docker's words. */
export function templateError(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_TEMPLATE", `template parsing error: template: :1: ${message}`);
}
