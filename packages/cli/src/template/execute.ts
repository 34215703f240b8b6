// Runs a parsed template over a value, as docker does: first on the typed object, where what JSON left out is empty, then on the JSON
// itself. What neither has is docker's error, in the words of the command that asks.
import { LapError } from "@lapstrake/base";
import { ARITY, FUNCTIONS, FunctionError, NO_VALUE, goJson, goText, isTrue, type Value } from "./functions.ts";
import { Fields } from "./fields.ts";
import { emptyOf, goTime, isTime, nilText } from "./go-structs.ts";
import { templateError } from "./lexer.ts";
import { parseTemplate, type Node, type Template } from "./parser.ts";
import type { Expr } from "./pipeline.ts";

/** How missing fields are told, and which fields are methods that take arguments. */
export interface TemplateOptions {
  /** Go's name of the value's type in errors (`formatter.ContainerContext`); undefined words it as inspect does. */
  readonly goType?: string;
  readonly methods?: Readonly<Record<string, (self: Value, args: readonly Value[]) => Value>>;
  /** The value is the titles of a table: functions leave them as they are. */
  readonly isHeader?: boolean;
  /** `ps` looks at its template before it asks, and says so with words of its own. */
  readonly words?: { readonly parse: string; readonly execute: string };
}

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

/** What does not change the title of a column. */
const TITLE_FUNCTIONS = new Set(["json", "split", "join", "title", "lower", "upper", "truncate"]);

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
  readonly #options: TemplateOptions;
  readonly #isTyped: boolean;
  readonly #fields: Fields;
  readonly #variables = new Map<string, Value>();
  #name = "";

  constructor(template: Template, root: Value, options: TemplateOptions, isTyped: boolean) {
    this.#template = template;
    this.#root = root;
    this.#options = options;
    this.#isTyped = isTyped;
    this.#fields = new Fields(root, options.goType, isTyped);
  }

  main(): string {
    this.#variables.set("$", this.#root);
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
        const value = this.#eval(node.expr, dot);
        if (node.name !== undefined) this.#variables.set(node.name, value);
        if (!isTrue(value)) return this.#nodes(node.otherwise, dot);
        return this.#nodes(node.body, node.kind === "with" ? value : dot);
      }
      case "range":
        return this.#range(node, this.#eval(node.expr, dot), dot);
    }
  }

  #show(expr: Expr, assign: string | undefined, dot: Value): string {
    if (expr.kind === "nil") throw this.#failed(expr, "nil is not a command");
    const value = this.#eval(expr, dot);
    if (assign !== undefined) {
      this.#variables.set(assign, value);
      return "";
    }
    if (!this.#isTyped) return value === null ? "<no value>" : goText(value, false);
    const last = lastName(expr);
    if (last === undefined) return goText(value);
    return value === null ? nilText(last) : isTime(last, this.#root) ? goTime(value as string) : goText(value);
  }

  /** A named template: `$` is its argument. */
  #call({ name, expr }: Extract<Node, { kind: "template" }>, dot: Value): string {
    const nodes = this.#template.named.get(name);
    if (nodes === undefined)
      throw this.#failed({ at: 0, text: `{{template "${name}"}}` }, `template "${name}" not defined`);
    const value = expr === undefined ? NO_VALUE : this.#eval(expr, dot);
    const outer = [new Map(this.#variables), this.#name] as const;
    this.#variables.clear();
    this.#variables.set("$", value);
    this.#name = name;
    try {
      return this.#nodes(nodes, value);
    } finally {
      this.#variables.clear();
      for (const [key, each] of outer[0]) this.#variables.set(key, each);
      this.#name = outer[1];
    }
  }

  #range(node: Extract<Node, { kind: "range" }>, value: Value, dot: Value): string {
    const items = this.#entries(node.expr, value);
    if (items.length === 0) return this.#nodes(node.otherwise, dot);
    let text = "";
    for (const [key, item] of items) {
      const [first, second] = node.names;
      if (second !== undefined) this.#variables.set(first!, key);
      if (first !== undefined) this.#variables.set(second ?? first, item);
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
    throw this.#failed(expr, `range can't iterate over ${goText(value)}`);
  }

  #eval(expr: Expr, dot: Value): Value {
    switch (expr.kind) {
      case "literal":
        return expr.value;
      case "nil":
        return null;
      case "field":
        return this.#path(expr.of === undefined ? dot : this.#eval(expr.of, dot), expr);
      case "variable":
        return this.#path(this.#variable(expr.name), expr);
      case "method":
        return this.#method(
          expr,
          expr.args.map((arg) => this.#eval(arg, dot)),
          dot,
        );
      case "call":
        return this.#function(expr, dot);
    }
  }

  #function(expr: Extract<Expr, { kind: "call" }>, dot: Value): Value {
    const { name, args } = expr;
    // These do not look at what is behind the one that decides.
    if (name === "and" || name === "or") {
      let value: Value = null;
      for (const arg of args) {
        value = this.#eval(arg, dot);
        if (isTrue(value) === (name === "or")) return value;
      }
      return value;
    }
    const arity = ARITY[name];
    if (arity !== undefined && args.length !== arity) {
      throw this.#failed(expr, `wrong number of args for ${name}: want ${arity} got ${args.length}`);
    }
    const values = args.map((arg) => this.#argument(arg, dot, name));
    // A row of a list marshals itself, with Go's escapes; anything else is encoded without them.
    if (this.#options.isHeader === true && TITLE_FUNCTIONS.has(name)) return values[0] === this.#root ? "" : values[0];
    const isRow = this.#options.goType !== undefined && values[0] === this.#root;
    if (name === "json" && isRow) return goJson(values[0]);
    try {
      return FUNCTIONS[name]!(values);
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      if (error.isBare) throw this.#failed(args[0] ?? expr, error.message);
      throw this.#failed(expr, `error calling ${name}: ${error.message}`);
    }
  }

  /** Maps and lists that are null in JSON are empty in Go; only as JSON they are null again. */
  #argument(arg: Expr, dot: Value, name: string): Value {
    const value = this.#eval(arg, dot);
    const last = lastName(arg);
    return value === null && this.#isTyped && last !== undefined && name !== "json" ? emptyOf(last) : value;
  }

  #variable(name: string): Value {
    if (!this.#variables.has(name)) throw templateError(`undefined variable "${name}"`);
    return this.#variables.get(name);
  }

  #method(expr: Extract<Expr, { kind: "method" }>, args: readonly Value[], dot: Value): Value {
    const method = this.#options.methods?.[expr.path.join(".")];
    if (method === undefined) throw this.#failed(expr, this.#fields.missing(expr.path.at(-1) ?? ".", dot));
    return method(dot, args);
  }

  #path(start: Value, expr: Extract<Expr, { kind: "field" | "variable" }>): Value {
    return expr.path.reduce((at: Value, name, i) => {
      const found = this.#fields.get(at, name, i < expr.path.length - 1);
      if (found === undefined) throw this.#failed(expr, this.#fields.missing(name, at));
      return found.value;
    }, start);
  }

  #failed({ at, text }: { readonly at: number; readonly text: string }, message: string): LapError {
    const before = this.#template.source.slice(0, at).split("\n");
    const where = `${before.length}:${Buffer.byteLength(before.at(-1)!)}`;
    const shown = `template: :${where}: executing "${this.#name}" at <${text}>: ${message}`;
    return new LapError("invalidArgument", "ERR_LAP_TEMPLATE", `template parsing error: ${shown}`);
  }
}

/** The field that an expression ends with. */
function lastName(expr: Expr): string | undefined {
  return expr.kind === "field" || expr.kind === "variable" ? expr.path.at(-1) : undefined;
}
