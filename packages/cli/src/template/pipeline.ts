// What stands in an action: `a | b c | (d).E`, as a tree that knows its own text, because errors show it.
import { FUNCTION_NAMES } from "./functions.ts";
import { templateError, unquote, type Token } from "./lexer.ts";

/** Where an expression stands, and how errors show it. */
interface Place {
  readonly at: number;
  readonly text: string;
}

export type Expr = Place &
  (
    | { readonly kind: "field"; readonly path: readonly string[]; readonly of?: Expr }
    | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[] }
    | { readonly kind: "literal"; readonly value: string | number | boolean }
    | { readonly kind: "nil" }
    | { readonly kind: "call"; readonly name: string; readonly args: readonly Expr[] }
    | { readonly kind: "method"; readonly path: readonly string[]; readonly args: readonly Expr[] }
  );

/** Each result of a pipe becomes the last argument of the next. `context` names the clause in errors. */
export function parsePipeline(tokens: readonly Token[], source: string, context: string): Expr {
  const reader = new Reader(tokens, source, context);
  const expr = reader.pipeline();
  reader.requireEnd();
  return expr;
}

class Reader {
  readonly #tokens: readonly Token[];
  readonly #source: string;
  readonly #context: string;
  #at = 0;

  constructor(tokens: readonly Token[], source: string, context: string) {
    this.#tokens = tokens;
    this.#source = source;
    this.#context = context;
  }

  requireEnd(): void {
    const token = this.#tokens[this.#at];
    if (token === undefined) return;
    throw templateError(
      token.text === ")" ? "unexpected right paren" : `unexpected ${shown(token)} in ${this.#context}`,
    );
  }

  pipeline(): Expr {
    let expr = this.#command(undefined);
    while (this.#tokens[this.#at]?.text === "|") {
      this.#at++;
      expr = this.#command(expr);
    }
    return expr;
  }

  #command(piped: Expr | undefined): Expr {
    const first = this.#tokens[this.#at];
    if (first === undefined || first.text === "|") throw templateError(`missing value for ${this.#context}`);
    if (first.kind === "word" && !isLiteralWord(first.text)) return this.#call(first, piped);
    const value = this.#operand();
    const args = this.#operands();
    if (args.length === 0 && piped === undefined) return value;
    if (value.kind !== "field") throw templateError(`can't give argument to non-function ${value.text}`);
    const all = piped === undefined ? args : [...args, piped];
    return { kind: "method", path: value.path, args: all, ...this.#place(first) };
  }

  #call(first: Token, piped: Expr | undefined): Expr {
    requireFunction(first);
    this.#at++;
    const args = this.#operands();
    return {
      kind: "call",
      name: first.text,
      args: piped === undefined ? args : [...args, piped],
      ...this.#place(first),
    };
  }

  #operands(): Expr[] {
    const out: Expr[] = [];
    for (;;) {
      const next = this.#tokens[this.#at];
      if (next === undefined || next.text === "|" || next.text === ")") return out;
      out.push(this.#operand());
    }
  }

  /** From `first` to the token before the current one. */
  #place(first: Token): Place {
    const last = this.#tokens[this.#at - 1]!;
    return { at: first.at, text: this.#source.slice(first.at, last.at + last.text.length) };
  }

  #operand(): Expr {
    const token = this.#tokens[this.#at++]!;
    switch (token.kind) {
      case "field":
        return this.#field(token, token.text === "." ? [] : [token.text.slice(1)]);
      case "variable":
        return { kind: "variable", name: token.text, path: this.#path(), ...this.#place(token) };
      case "string":
        return { kind: "literal", value: unquote(token.text), ...this.#place(token) };
      case "char":
        return { kind: "literal", value: unquote(token.text).codePointAt(0)!, ...this.#place(token) };
      case "number":
        return { kind: "literal", value: Number(token.text.replaceAll("_", "")), ...this.#place(token) };
      case "word":
        return this.#word(token);
      case "mark":
        return this.#parenthesised(token);
    }
  }

  /** Go places `.A.B.C` where its second name stands. */
  #field(token: Token, first: readonly string[]): Expr {
    const second = this.#tokens[this.#at];
    const path = first.length === 0 ? [] : this.#path();
    const place = this.#place(token);
    return { kind: "field", path: [...first, ...path], text: place.text, at: path.length > 0 ? second!.at : token.at };
  }

  #path(): string[] {
    const out: string[] = [];
    for (;;) {
      const next = this.#tokens[this.#at];
      if (next?.kind !== "field" || next.isApart || next.text === ".") return out;
      out.push(next.text.slice(1));
      this.#at++;
    }
  }

  #word(token: Token): Expr {
    if (token.text === "nil") return { kind: "nil", ...this.#place(token) };
    if (isLiteralWord(token.text)) return { kind: "literal", value: token.text === "true", ...this.#place(token) };
    requireFunction(token);
    return { kind: "call", name: token.text, args: [], ...this.#place(token) };
  }

  #parenthesised(token: Token): Expr {
    if (token.text !== "(") throw templateError(`unexpected ${shown(token)} in ${this.#context}`);
    const inner = this.pipeline();
    if (this.#tokens[this.#at++]?.text !== ")") throw templateError("unclosed left paren");
    const next = this.#tokens[this.#at];
    const path = this.#path();
    if (path.length === 0) return inner;
    return { kind: "field", path, of: inner, text: this.#place(token).text, at: next!.at };
  }
}

function isLiteralWord(text: string): boolean {
  return text === "true" || text === "false" || text === "nil";
}

function requireFunction({ text }: Token): void {
  if (!FUNCTION_NAMES.has(text)) throw templateError(`function "${text}" not defined`);
}

function shown({ kind, text }: Token): string {
  return kind === "mark" ? `"${text}"` : `<${text}>`;
}
