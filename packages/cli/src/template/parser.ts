// Tokens -> a small tree: text, pipelines, if/with/range blocks (text/template "Actions").
import { lexTemplate, templateError, unquote, type Part, type Token } from "./lexer.ts";

export type Expr =
  | { readonly kind: "field"; readonly path: readonly string[]; readonly of?: Expr }
  | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expr[] }
  | { readonly kind: "method"; readonly path: readonly string[]; readonly args: readonly Expr[] };

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "show"; readonly expr: Expr; readonly assign: string | undefined }
  | {
      readonly kind: "if" | "with";
      readonly expr: Expr;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly kind: "range";
      readonly expr: Expr;
      readonly names: readonly string[];
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Parses a template. Throws `ERR_LAP_TEMPLATE`. */
export function parseTemplate(source: string): Node[] {
  const parser = new Parser(lexTemplate(source));
  const { nodes, end } = parser.block();
  if (end !== undefined) throw templateError(`unexpected {{${end}}}`);
  return nodes;
}

class Parser {
  readonly #parts: readonly Part[];
  #at = 0;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** Nodes up to `end` or `else` (which is returned), or to the end of the text. */
  block(): { nodes: Node[]; end: string | undefined; rest: readonly Token[] } {
    const nodes: Node[] = [];
    while (this.#at < this.#parts.length) {
      const part = this.#parts[this.#at++]!;
      if ("text" in part) nodes.push({ kind: "text", text: part.text });
      else {
        const word = part.tokens[0]?.kind === "word" ? part.tokens[0].text : undefined;
        if (word === "end" || word === "else") return { nodes, end: word, rest: part.tokens.slice(1) };
        nodes.push(this.#action(part.tokens, word));
      }
    }
    return { nodes, end: undefined, rest: [] };
  }

  #action(tokens: readonly Token[], word: string | undefined): Node {
    if (word === "if" || word === "with") return this.#conditional(word, tokens.slice(1));
    if (word === "range") return this.#range(tokens.slice(1));
    const isAssign = tokens[0]?.kind === "variable" && (tokens[1]?.text === ":=" || tokens[1]?.text === "=");
    const expr = parsePipeline(isAssign ? tokens.slice(2) : tokens);
    return { kind: "show", expr, assign: isAssign ? tokens[0]!.text : undefined };
  }

  #conditional(kind: "if" | "with", tokens: readonly Token[]): Node {
    const expr = parsePipeline(tokens);
    const { nodes: body, end, rest } = this.block();
    return { kind, expr, body, otherwise: this.#otherwise(end, rest) };
  }

  #otherwise(end: string | undefined, rest: readonly Token[]): Node[] {
    if (end === undefined) throw templateError("unexpected EOF");
    if (end === "end") return [];
    if (rest[0]?.text === "if") return [this.#conditional("if", rest.slice(1))];
    const tail = this.block();
    if (tail.end !== "end") throw templateError("unexpected EOF");
    return tail.nodes;
  }

  #range(tokens: readonly Token[]): Node {
    const define = tokens.findIndex((token) => token.text === ":=");
    const names = define < 0 ? [] : tokens.slice(0, define).filter((token) => token.kind === "variable");
    const expr = parsePipeline(tokens.slice(define + 1));
    const { nodes: body, end, rest } = this.block();
    return {
      kind: "range",
      expr,
      names: names.map((token) => token.text),
      body,
      otherwise: this.#otherwise(end, rest),
    };
  }
}

/** `a | b c | d`: each result becomes the last argument of the next. */
function parsePipeline(tokens: readonly Token[]): Expr {
  const cursor = { at: 0 };
  const expr = pipeline(tokens, cursor);
  if (cursor.at < tokens.length) throw templateError(`unexpected "${tokens[cursor.at]!.text}" in operand`);
  return expr;
}

function pipeline(tokens: readonly Token[], cursor: { at: number }): Expr {
  let expr = command(tokens, cursor, undefined);
  while (tokens[cursor.at]?.text === "|") {
    cursor.at++;
    expr = command(tokens, cursor, expr);
  }
  return expr;
}

function command(tokens: readonly Token[], cursor: { at: number }, piped: Expr | undefined): Expr {
  const first = tokens[cursor.at];
  if (first === undefined) throw templateError("missing value for command");
  if (first.kind === "word" && !isLiteralWord(first.text)) {
    cursor.at++;
    const args = operands(tokens, cursor);
    return { kind: "call", name: first.text, args: piped === undefined ? args : [...args, piped] };
  }
  const value = operand(tokens, cursor);
  const args = operands(tokens, cursor);
  if (args.length === 0 && piped === undefined) return value;
  if (value.kind !== "field") throw templateError(`can't give argument to non-function ${first.text}`);
  return { kind: "method", path: value.path, args: piped === undefined ? args : [...args, piped] };
}

function operands(tokens: readonly Token[], cursor: { at: number }): Expr[] {
  const out: Expr[] = [];
  while (cursor.at < tokens.length && tokens[cursor.at]!.text !== "|" && tokens[cursor.at]!.text !== ")") {
    out.push(operand(tokens, cursor));
  }
  return out;
}

function isLiteralWord(text: string): boolean {
  return text === "true" || text === "false" || text === "nil";
}

function operand(tokens: readonly Token[], cursor: { at: number }): Expr {
  const token = tokens[cursor.at++]!;
  switch (token.kind) {
    case "field":
      return { kind: "field", path: pathOf(token.text) };
    case "variable": {
      const next = tokens[cursor.at];
      const path = next?.kind === "field" ? pathOf(tokens[cursor.at++]!.text) : [];
      return { kind: "variable", name: token.text, path };
    }
    case "string":
      return { kind: "literal", value: unquote(token.text) };
    case "number":
      return { kind: "literal", value: Number(token.text) };
    case "word":
      if (isLiteralWord(token.text))
        return { kind: "literal", value: { true: true, false: false, nil: null }[token.text]! };
      return { kind: "call", name: token.text, args: [] };
    case "mark":
      return parenthesised(token, tokens, cursor);
  }
}

function parenthesised(token: Token, tokens: readonly Token[], cursor: { at: number }): Expr {
  if (token.text !== "(") throw templateError(`unexpected "${token.text}" in operand`);
  const expr = pipeline(tokens, cursor);
  if (tokens[cursor.at++]?.text !== ")") throw templateError("unclosed left paren");
  const next = tokens[cursor.at];
  if (next?.kind !== "field" || next.text === ".") return expr;
  cursor.at++;
  return { kind: "field", path: pathOf(next.text), of: expr };
}

function pathOf(text: string): string[] {
  return text === "." ? [] : text.slice(1).split(".");
}
