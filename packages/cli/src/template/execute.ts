// Runs a parsed template over a value, as docker does: first on the typed object, where what JSON left out is empty, then on the JSON
// itself. What neither has is docker's error, in the words of the command that asks.
import { LapError } from "@lapstrake/base";
import { Evaluator, type TemplateOptions } from "./evaluate.ts";
import { parseTemplate, type Node, type Template } from "./parser.ts";
import type { Expr } from "./pipeline.ts";
import { NO_VALUE, goText, isTrue, type Value } from "./values.ts";

const WORDS = { parse: "template parsing error", execute: "template parsing error" };

/** A template ready to run on many values. Throws `ERR_LAP_TEMPLATE`. */
export function compileTemplate(source: string, options: TemplateOptions = {}): (value: Value) => string {
  const { parse, execute } = options.words ?? WORDS;
  const isList = options.goType !== undefined;
  const template = inWords(() => parseTemplate(source), parse, isList);
  const run = (value: Value, isTyped: boolean): string => new Run(template, value, options, isTyped).main();
  return (value) =>
    inWords(() => {
      if (isList) return run(value, false);
      try {
        return run(value, true);
      } catch (error) {
        if (!(error instanceof LapError)) throw error;
        return run(value, false);
      }
    }, execute);
}

/** Lists end with 1, whatever is wrong. */
function inWords<T>(work: () => T, words: string, isList = false): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LapError) || (words === WORDS.parse && !isList)) throw error;
    const message = error.message.replace(/^template parsing error/, words);
    throw new LapError("invalidArgument", "ERR_LAP_TEMPLATE", message, { cause: error });
  }
}

class Loop extends Error {
  readonly isBreak: boolean;

  constructor(isBreak: boolean) {
    super();
    this.isBreak = isBreak;
  }
}

class Run {
  readonly #template: Template;
  readonly #root: Value;
  readonly #evaluator: Evaluator;

  constructor(template: Template, root: Value, options: TemplateOptions, isTyped: boolean) {
    this.#template = template;
    this.#root = root;
    this.#evaluator = new Evaluator(template.source, root, options, isTyped);
  }

  main(): string {
    return this.#nodes(this.#template.nodes, this.#root);
  }

  #nodes(nodes: readonly Node[], dot: Value): string {
    let text = "";
    for (const node of nodes) {
      try {
        text += this.#node(node, dot);
      } catch (error) {
        if (error instanceof Loop) error.message = text + error.message;
        throw error;
      }
    }
    return text;
  }

  #node(node: Node, dot: Value): string {
    switch (node.kind) {
      case "text":
        return node.text;
      case "break":
      case "continue":
        throw new Loop(node.kind === "break");
      case "template":
        return this.#call(node, dot);
      case "show":
        return this.#show(node.expr, node.assign, dot);
      case "if":
      case "with": {
        const value = this.#evaluator.eval(node.expr, dot);
        if (node.name !== undefined) this.#evaluator.set(node.name, value);
        if (!isTrue(value)) return this.#nodes(node.otherwise, dot);
        return this.#nodes(node.body, node.kind === "with" ? value : dot);
      }
      case "range":
        return this.#range(node, this.#evaluator.eval(node.expr, dot), dot);
    }
  }

  #show(expr: Expr, assign: string | undefined, dot: Value): string {
    if (expr.kind === "nil") throw this.#evaluator.failed(expr, "nil is not a command");
    const value = this.#evaluator.eval(expr, dot);
    if (assign === undefined) return this.#evaluator.shown(expr, value);
    this.#evaluator.set(assign, value);
    return "";
  }

  #call({ name, expr }: Extract<Node, { kind: "template" }>, dot: Value): string {
    const nodes = this.#template.named.get(name);
    if (nodes === undefined)
      throw this.#evaluator.failed({ at: 0, text: `{{template "${name}"}}` }, `template "${name}" not defined`);
    const value = expr === undefined ? NO_VALUE : this.#evaluator.eval(expr, dot);
    return this.#evaluator.within(name, value, () => this.#nodes(nodes, value));
  }

  #range(node: Extract<Node, { kind: "range" }>, value: Value, dot: Value): string {
    const items = this.#entries(node.expr, value);
    if (items.length === 0) return this.#nodes(node.otherwise, dot);
    let text = "";
    for (const [key, item] of items) {
      const [first, second] = node.names;
      if (second !== undefined) this.#evaluator.set(first!, key);
      if (first !== undefined) this.#evaluator.set(second ?? first, item);
      try {
        text += this.#nodes(node.body, item);
      } catch (error) {
        if (!(error instanceof Loop)) throw error;
        text += error.message;
        if (error.isBreak) break;
      }
    }
    return text;
  }

  #entries(expr: Expr, value: Value): [string | number, Value][] {
    if (Array.isArray(value)) return value.map((item, i) => [i, item]);
    if (typeof value === "number") return Array.from({ length: value }, (_, i) => [i, i]);
    if (typeof value === "object" && value !== null)
      return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (value === null || value === NO_VALUE || value === undefined) return [];
    throw this.#evaluator.failed(expr, `range can't iterate over ${goText(value)}`);
  }
}
