// Tokens -> a small tree: text, pipelines, if/with/range blocks, named templates (text/template "Actions").
import { lexTemplate, templateError, type Part, type Token } from "./lexer.ts";
import { parsePipeline, type Expr } from "./pipeline.ts";

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "show"; readonly expr: Expr; readonly assign: string | undefined }
  | ({ readonly kind: "if" | "with"; readonly expr: Expr; readonly name: string | undefined } & Branches)
  | ({ readonly kind: "range"; readonly expr: Expr; readonly names: readonly string[] } & Branches)
  | { readonly kind: "template"; readonly name: string; readonly expr: Expr | undefined }
  | { readonly kind: "break" | "continue" };

interface Branches {
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** A template with those that it defines. */
export interface Template {
  readonly source: string;
  readonly nodes: readonly Node[];
  readonly named: ReadonlyMap<string, readonly Node[]>;
}

/** Parses a template. Throws `ERR_LAP_TEMPLATE`. */
export function parseTemplate(source: string): Template {
  const parser = new Parser(lexTemplate(source), source);
  const { nodes, end } = parser.block();
  if (end !== undefined) throw templateError(`unexpected {{${end}}}`);
  return { source, nodes, named: parser.named };
}

interface Block {
  readonly nodes: readonly Node[];
  readonly end: string | undefined;
  /** Behind `else`. */
  readonly rest: readonly Token[];
}

class Parser {
  readonly named = new Map<string, readonly Node[]>();
  readonly #parts: readonly Part[];
  readonly #source: string;
  #at = 0;
  #loops = 0;

  constructor(parts: readonly Part[], source: string) {
    this.#parts = parts;
    this.#source = source;
  }

  /** Nodes up to `end` or `else` (which is returned), or to the end of the text. */
  block(): Block {
    const nodes: Node[] = [];
    while (this.#at < this.#parts.length) {
      const part = this.#parts[this.#at++]!;
      if ("text" in part) {
        nodes.push({ kind: "text", text: part.text });
        continue;
      }
      const word = part.tokens[0]?.kind === "word" ? part.tokens[0].text : undefined;
      if (word === "end" || word === "else") return { nodes, end: word, rest: part.tokens.slice(1) };
      if (part.tokens.length === 0) throw templateError("missing value for command");
      const node = this.#action(part.tokens, word);
      if (node !== undefined) nodes.push(node);
    }
    return { nodes, end: undefined, rest: [] };
  }

  #action(tokens: readonly Token[], word: string | undefined): Node | undefined {
    const rest = tokens.slice(1);
    switch (word) {
      case "if":
      case "with":
        return this.#conditional(word, rest);
      case "range":
        return this.#range(rest);
      case "define":
      case "block":
        return this.#define(word, rest);
      case "template":
        return { kind: "template", name: nameOf(rest, word), expr: this.#optional(rest.slice(1)) };
      case "break":
      case "continue":
        if (this.#loops === 0) throw templateError(`{{${word}}} outside {{range}}`);
        return { kind: word };
      default: {
        const isAssign = tokens[0]?.kind === "variable" && (tokens[1]?.text === ":=" || tokens[1]?.text === "=");
        const expr = this.#pipeline(isAssign ? tokens.slice(2) : tokens, "command");
        return { kind: "show", expr, assign: isAssign ? tokens[0]!.text : undefined };
      }
    }
  }

  #pipeline(tokens: readonly Token[], context: string): Expr {
    return parsePipeline(tokens, this.#source, context);
  }

  #optional(tokens: readonly Token[]): Expr | undefined {
    return tokens.length === 0 ? undefined : this.#pipeline(tokens, "template clause");
  }

  #define(word: "define" | "block", tokens: readonly Token[]): Node | undefined {
    const name = nameOf(tokens, word);
    const expr = word === "block" ? this.#pipeline(tokens.slice(1), "block clause") : undefined;
    const { nodes, end } = this.block();
    if (end === undefined) throw templateError("unexpected EOF");
    this.named.set(name, nodes);
    return word === "block" ? { kind: "template", name, expr } : undefined;
  }

  #conditional(kind: "if" | "with", tokens: readonly Token[]): Node {
    const isNamed = tokens[0]?.kind === "variable" && tokens[1]?.text === ":=";
    const expr = this.#pipeline(isNamed ? tokens.slice(2) : tokens, kind);
    const { nodes: body, end, rest } = this.block();
    const name = isNamed ? tokens[0]!.text : undefined;
    return { kind, expr, name, body, otherwise: this.#otherwise(end, rest) };
  }

  #otherwise(end: string | undefined, rest: readonly Token[]): readonly Node[] {
    if (end === undefined) throw templateError("unexpected EOF");
    if (end === "end") return [];
    const word = rest[0]?.text;
    if (word === "if" || word === "with") return [this.#conditional(word, rest.slice(1))];
    const tail = this.block();
    if (tail.end !== "end")
      throw templateError(tail.end === "else" ? "expected end; found {{else}}" : "unexpected EOF");
    return tail.nodes;
  }

  #range(tokens: readonly Token[]): Node {
    const define = tokens.findIndex(({ text }) => text === ":=" || text === "=");
    const names = define < 0 ? [] : tokens.slice(0, define).filter((token) => token.kind === "variable");
    const expr = this.#pipeline(tokens.slice(define + 1), "range");
    this.#loops++;
    const { nodes: body, end, rest } = this.block();
    this.#loops--;
    const otherwise = this.#otherwise(end, rest);
    return { kind: "range", expr, names: names.map((token) => token.text), body, otherwise };
  }
}

function nameOf([token]: readonly Token[], clause: string): string {
  if (token?.kind === "string") return token.text.slice(1, -1);
  throw templateError(`unexpected ${token === undefined ? "}}" : `"${token.text}"`} in ${clause} clause`);
}
