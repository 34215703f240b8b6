// Runs a parsed template over a value. A field that is not there is docker's error, in the words of the command that asks.
import { LapError } from "@lapstrake/base";
import { FUNCTIONS, goJson, goText, isTrue, type Value } from "./functions.ts";
import { templateError } from "./lexer.ts";
import { parseTemplate, type Expr, type Node } from "./parser.ts";

/** How missing fields are told, and which fields are methods that take arguments. */
export interface TemplateOptions {
  /** Go's name of the value's type in errors (`formatter.ContainerContext`); undefined words it as inspect does. */
  readonly goType?: string;
  readonly methods?: Readonly<Record<string, (self: Value, args: readonly Value[]) => Value>>;
}

/** A template ready to run on many values. Throws `ERR_LAP_TEMPLATE`. */
export function compileTemplate(source: string, options: TemplateOptions = {}): (value: Value) => string {
  const nodes = parseTemplate(source);
  return (value) => new Run(value, options).nodes(nodes, value);
}

class Run {
  readonly #root: Value;
  readonly #options: TemplateOptions;
  readonly #variables = new Map<string, Value>();

  constructor(root: Value, options: TemplateOptions) {
    this.#root = root;
    this.#options = options;
  }

  nodes(nodes: readonly Node[], dot: Value): string {
    return nodes.map((node) => this.#node(node, dot)).join("");
  }

  #node(node: Node, dot: Value): string {
    if (node.kind === "text") return node.text;
    const value = this.#eval(node.expr, dot);
    switch (node.kind) {
      case "show":
        if (node.assign === undefined) return goText(value);
        this.#variables.set(node.assign, value);
        return "";
      case "if":
        return this.nodes(isTrue(value) ? node.body : node.otherwise, dot);
      case "with":
        return isTrue(value) ? this.nodes(node.body, value) : this.nodes(node.otherwise, dot);
      case "range":
        return this.#range(node, value, dot);
    }
  }

  #range(node: Extract<Node, { kind: "range" }>, value: Value, dot: Value): string {
    const items = entries(value);
    if (items.length === 0) return this.nodes(node.otherwise, dot);
    return items
      .map(([key, item]) => {
        const [first, second] = node.names;
        if (second !== undefined) this.#variables.set(first!, key);
        if (first !== undefined) this.#variables.set(second ?? first, item);
        return this.nodes(node.body, item);
      })
      .join("");
  }

  #eval(expr: Expr, dot: Value): Value {
    switch (expr.kind) {
      case "literal":
        return expr.value;
      case "field":
        return this.#path(expr.of === undefined ? dot : this.#eval(expr.of, dot), expr.path);
      case "variable":
        return this.#path(expr.name === "$" ? this.#root : this.#variable(expr.name), expr.path);
      case "method":
        return this.#method(
          expr.path,
          expr.args.map((arg) => this.#eval(arg, dot)),
          dot,
        );
      case "call": {
        const fn = FUNCTIONS[expr.name];
        if (fn === undefined) throw templateError(`function "${expr.name}" not defined`);
        const args = expr.args.map((arg) => this.#eval(arg, dot));
        // A row of a list marshals itself, with Go's escapes; anything else is encoded without them.
        const isRow = this.#options.goType !== undefined && args[0] === this.#root;
        return expr.name === "json" && isRow ? goJson(args[0]) : fn(args);
      }
    }
  }

  #variable(name: string): Value {
    if (!this.#variables.has(name)) throw templateError(`undefined variable "${name}"`);
    return this.#variables.get(name);
  }

  #method(path: readonly string[], args: readonly Value[], dot: Value): Value {
    const method = this.#options.methods?.[path.join(".")];
    if (method === undefined) throw this.#missing(path.at(-1) ?? ".", path);
    return method(dot, args);
  }

  #path(value: Value, path: readonly string[]): Value {
    return path.reduce((at: Value, name) => {
      if (typeof at === "object" && at !== null && Object.hasOwn(at, name)) return (at as Record<string, Value>)[name];
      throw this.#missing(name, path);
    }, value);
  }

  #missing(name: string, path: readonly string[]): LapError {
    const { goType } = this.#options;
    const where = `template: :1:2: executing "" at <.${path.join(".")}>:`;
    const text =
      goType === undefined
        ? `template parsing error: ${where} map has no entry for key "${name}"`
        : `failed to execute template: ${where} can't evaluate field ${name} in type *${goType}`;
    return new LapError("invalidArgument", "ERR_LAP_TEMPLATE", text);
  }
}

function entries(value: Value): [string | number, Value][] {
  if (Array.isArray(value)) return value.map((item, i) => [i, item]);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
