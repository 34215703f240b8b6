// The expressions of a template over a value: fields, variables, calls. On the typed object of docker's, where what JSON left out is
// empty, or on the JSON itself.
import { LapError } from "@lapstrake/base";
import { Fields } from "./fields.ts";
import { ARITY, FUNCTIONS, FunctionError } from "./functions.ts";
import { emptyOf, goTime, isTime, nilText } from "./go-structs.ts";
import { templateError } from "./lexer.ts";
import type { Expr } from "./pipeline.ts";
import { goJson, goText, isTrue, type Value } from "./values.ts";

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

/** What does not change the title of a column. */
const TITLE_FUNCTIONS = new Set(["json", "split", "join", "title", "lower", "upper", "truncate"]);

/** For one run of a template over `root`. */
export class Evaluator {
  readonly #source: string;
  readonly #root: Value;
  readonly #options: TemplateOptions;
  readonly #isTyped: boolean;
  readonly #fields: Fields;
  #variables: Map<string, Value>;
  #name = "";

  constructor(source: string, root: Value, options: TemplateOptions, isTyped: boolean) {
    this.#source = source;
    this.#root = root;
    this.#options = options;
    this.#isTyped = isTyped;
    this.#fields = new Fields(root, options.goType, isTyped);
    this.#variables = new Map([["$", root]]);
  }

  set(name: string, value: Value): void {
    this.#variables.set(name, value);
  }

  /** Does `work` of a named template: `$` is its argument. */
  within(name: string, argument: Value, work: () => string): string {
    const outer = [this.#variables, this.#name] as const;
    this.#variables = new Map([["$", argument]]);
    this.#name = name;
    try {
      return work();
    } finally {
      [this.#variables, this.#name] = outer;
    }
  }

  /** A value as it is printed; `expr` is where it came from. */
  shown(expr: Expr, value: Value): string {
    if (!this.#isTyped) return value === null ? "<no value>" : goText(value, false);
    const last = lastName(expr);
    if (last === undefined) return goText(value);
    return value === null ? nilText(last) : isTime(last, this.#root) ? goTime(value as string) : goText(value);
  }

  /** Throws docker's errors, as `ERR_LAP_TEMPLATE`. */
  eval(expr: Expr, dot: Value): Value {
    switch (expr.kind) {
      case "literal":
        return expr.value;
      case "nil":
        return null;
      case "field":
        return this.#path(expr.of === undefined ? dot : this.eval(expr.of, dot), expr);
      case "variable":
        return this.#path(this.#variable(expr.name), expr);
      case "method":
        return this.#method(
          expr,
          expr.args.map((arg) => this.eval(arg, dot)),
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
        value = this.eval(arg, dot);
        if (isTrue(value) === (name === "or")) return value;
      }
      return value;
    }
    const arity = ARITY[name];
    if (arity !== undefined && args.length !== arity) {
      throw this.failed(expr, `wrong number of args for ${name}: want ${arity} got ${args.length}`);
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
      if (error.isBare) throw this.failed(args[0] ?? expr, error.message);
      throw this.failed(expr, `error calling ${name}: ${error.message}`);
    }
  }

  /** Maps and lists that are null in JSON are empty in Go; only as JSON they are null again. */
  #argument(arg: Expr, dot: Value, name: string): Value {
    const value = this.eval(arg, dot);
    const last = lastName(arg);
    return value === null && this.#isTyped && last !== undefined && name !== "json" ? emptyOf(last) : value;
  }

  #variable(name: string): Value {
    if (!this.#variables.has(name)) throw templateError(`undefined variable "${name}"`);
    return this.#variables.get(name);
  }

  #method(expr: Extract<Expr, { kind: "method" }>, args: readonly Value[], dot: Value): Value {
    const method = this.#options.methods?.[expr.path.join(".")];
    if (method === undefined) throw this.failed(expr, this.#fields.missing(expr.path.at(-1) ?? ".", dot));
    return method(dot, args);
  }

  #path(start: Value, expr: Extract<Expr, { kind: "field" | "variable" }>): Value {
    return expr.path.reduce((at: Value, name, i) => {
      const found = this.#fields.get(at, name, i < expr.path.length - 1);
      if (found === undefined) throw this.failed(expr, this.#fields.missing(name, at));
      return found.value;
    }, start);
  }

  /** An error of the expression, with its place. */
  failed({ at, text }: { readonly at: number; readonly text: string }, message: string): LapError {
    const before = this.#source.slice(0, at).split("\n");
    const where = `${before.length}:${Buffer.byteLength(before.at(-1)!)}`;
    const shown = `template: :${where}: executing "${this.#name}" at <${text}>: ${message}`;
    return new LapError("invalidArgument", "ERR_LAP_TEMPLATE", `template parsing error: ${shown}`);
  }
}

/** The field that an expression ends with. */
function lastName(expr: Expr): string | undefined {
  return expr.kind === "field" || expr.kind === "variable" ? expr.path.at(-1) : undefined;
}
