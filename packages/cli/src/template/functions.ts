// What templates may call: Go's built-ins and docker's additions (docker/cli templates package).
import { isSetKey, structFields } from "./go-structs.ts";

export type Value = unknown;
type Fn = (args: readonly Value[]) => Value;

/** JSON as Go writes it: `<`, `>`, `&` and line separators escaped. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What a map has not: it prints as such, and is false. */
export const NO_VALUE: unique symbol = Symbol("no value");

/** A function that was called wrongly; `isBare` where Go does not say "error calling". */
export class FunctionError extends Error {
  readonly isBare: boolean;

  constructor(message: string, isBare = false) {
    super(message);
    this.isBare = isBare;
  }
}

/** A value as Go's fmt prints it with %v; structs are known only where docker has its typed objects. */
export function goText(value: Value, isTyped = true): string {
  if (value === NO_VALUE) return "<no value>";
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map((item) => goText(item, isTyped)).join(" ")}]`;
  if (typeof value !== "object") return String(value as string | number | boolean);
  const fields = isTyped ? structFields(value) : undefined;
  if (fields !== undefined) {
    return `{${fields.map(([name, nil]) => fieldText((value as Record<string, Value>)[name], nil)).join(" ")}}`;
  }
  const pairs = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${pairs.map(([name, item]) => `${name}:${itemText(name, item, isTyped)}`).join(" ")}]`;
}

function itemText(key: string, value: Value, isTyped: boolean): string {
  const isNothing = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  if (isTyped && isNothing && !Array.isArray(value) && isSetKey(key)) return "{}";
  return value === null && isTyped ? (isSetKey(key) ? "[]" : "<nil>") : goText(value, isTyped);
}

function fieldText(value: Value, nil: string): string {
  return value === null || value === undefined ? nil : goText(value);
}

/** Go's name of a value's type. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "object") return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}

/** Go's truth: empty and zero values are false. */
export function isTrue(value: Value): boolean {
  if (value === NO_VALUE) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function lengthOf(value: Value): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === "object" && value !== null) return Object.keys(value).length;
  if (value === null || value === NO_VALUE) throw new FunctionError("len of nil pointer");
  throw new FunctionError(`len of type ${typeName(value)}`);
}

function index([start, ...keys]: readonly Value[]): Value {
  return keys.reduce((value: Value, key) => {
    if (Array.isArray(value) || typeof value === "string") return itemAt(value, key);
    if (typeof value === "object" && value !== null) {
      if (typeof key !== "string") throw new FunctionError(`value has type ${typeName(key)}; should be string`);
      if (Object.hasOwn(value, key)) return (value as Record<string, Value>)[key];
      return isSetKey(key) ? NO_VALUE : "";
    }
    throw new FunctionError(
      value === null || value === NO_VALUE ? "index of untyped nil" : `can't index item of type ${typeName(value)}`,
    );
  }, start);
}

function itemAt(list: readonly Value[] | string, key: Value): Value {
  if (typeof key !== "number") throw new FunctionError(`cannot index slice/array with type ${typeName(key)}`);
  if (key < 0 || key >= list.length) throw new FunctionError(`index out of range: ${key}`);
  return typeof list === "string" ? Buffer.from(list)[key] : list[key];
}

function slice([value, ...bounds]: readonly Value[]): Value {
  if (!Array.isArray(value) && typeof value !== "string") {
    throw new FunctionError(value === null ? "slice of untyped nil" : `can't slice item of type ${typeName(value)}`);
  }
  const size = lengthOf(value);
  const [from = 0, to = size] = bounds.map(Number);
  for (const bound of [from, to])
    if (bound < 0 || bound > size) throw new FunctionError(`index out of range: ${bound}`);
  if (from > to) throw new FunctionError(`invalid slice index: ${from} > ${to}`);
  return typeof value === "string" ? Buffer.from(value).subarray(from, to).toString() : value.slice(from, to);
}

/** fmt.Sprint: blanks between operands when neither is a text. */
function print(args: readonly Value[]): string {
  return args
    .map((arg, i) => `${i > 0 && typeof arg !== "string" && typeof args[i - 1] !== "string" ? " " : ""}${goText(arg)}`)
    .join("");
}

const VERBS: Readonly<Record<string, (value: Value, precision: number | undefined) => string>> = {
  s: (value) => goText(value),
  v: (value) => goText(value),
  d: (value) => goText(value),
  t: (value) => goText(value),
  q: (value) => JSON.stringify(goText(value)),
  x: (value) => (typeof value === "number" ? value.toString(16) : Buffer.from(goText(value)).toString("hex")),
  X: (value) =>
    (typeof value === "number" ? value.toString(16) : Buffer.from(goText(value)).toString("hex")).toUpperCase(),
  o: (value) => Number(value).toString(8),
  b: (value) => Number(value).toString(2),
  c: (value) => String.fromCodePoint(Number(value)),
  f: (value, precision) => Number(value).toFixed(precision ?? 6),
  e: (value, precision) =>
    Number(value)
      .toExponential(precision ?? 6)
      .replace(/e([+-])(\d)$/, "e$10$2"),
  g: (value) => goText(value),
  T: (value) => typeName(value),
};

function printf([format, ...args]: readonly Value[]): string {
  let next = 0;
  const text = String(format).replaceAll(
    /%([-+# 0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next++];
      const asked = VERBS[verb];
      if (asked === undefined) return `%!${verb}(${typeName(value)}=${goText(value)})`;
      const limit = precision === undefined ? undefined : Number(precision);
      const plain = asked(value, limit);
      const cut = verb === "s" && limit !== undefined ? [...plain].slice(0, limit).join("") : plain;
      if (flags.includes("-")) return cut.padEnd(Number(width));
      return cut.padStart(Number(width), flags.includes("0") && typeof value === "number" ? "0" : " ");
    },
  );
  if (next >= args.length) return text;
  return `${text}%!(EXTRA ${args
    .slice(next)
    .map((value) => `${typeName(value)}=${goText(value)}`)
    .join(", ")})`;
}

function listOf(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (value === null) return [];
  throw new FunctionError(`wrong type for value; expected []string; got ${typeName(value)}`, true);
}

function textOf(value: Value): string {
  if (typeof value === "string") return value;
  if (value === NO_VALUE) return "";
  throw new FunctionError(`wrong type for value; expected string; got ${typeName(value)}`, true);
}

/** Numbers with numbers, texts with texts, truths with truths. */
function sameKind(a: Value, b: Value): void {
  if (a === null || b === null || typeof a === typeof b) return;
  throw new FunctionError("incompatible types for comparison");
}

function compare(test: (a: never, b: never) => boolean): Fn {
  return ([a, b]) => {
    sameKind(a, b);
    return test(a as never, b as never);
  };
}

/** By name; `and` and `or` are the runner's, because they stop early. */
export const FUNCTIONS: Readonly<Record<string, Fn>> = {
  json: ([value]) => JSON.stringify(value === NO_VALUE ? null : value) ?? "null",
  join: ([list, separator]) => listOf(list).join(String(separator)),
  split: ([text, separator]) => textOf(text).split(String(separator)),
  lower: ([text]) => textOf(text).toLowerCase(),
  upper: ([text]) => textOf(text).toUpperCase(),
  title: ([text]) => textOf(text).replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  pad: ([text, before, after]) =>
    text === "" ? "" : " ".repeat(Number(before)) + textOf(text) + " ".repeat(Number(after)),
  truncate: ([text, length]) => Buffer.from(textOf(text)).subarray(0, Number(length)).toString(),
  println: (args) => `${args.map((arg) => goText(arg)).join(" ")}\n`,
  print,
  printf,
  len: ([value]) => lengthOf(value),
  index,
  slice,
  not: ([value]) => !isTrue(value),
  eq: ([first, ...others]) => others.some((other) => (sameKind(first, other), other === first)),
  ne: compare((a, b) => a !== b),
  lt: compare((a, b) => a < b),
  le: compare((a, b) => a <= b),
  gt: compare((a, b) => a > b),
  ge: compare((a, b) => a >= b),
  html: (args) => print(args).replaceAll(/[&<>"'\0]/g, (char) => HTML[char] ?? char),
  js: (args) => print(args).replaceAll(/[\\'"<>&=]/g, (char) => JS[char] ?? char),
  urlquery: (args) => encodeURIComponent(print(args)).replaceAll("%20", "+"),
};

/** How many arguments those take that take a fixed number. */
export const ARITY: Readonly<Record<string, number>> = Object.fromEntries([
  ...["json", "title", "lower", "upper", "len", "not"].map((name) => [name, 1] as const),
  ...["split", "join", "truncate", "ne", "lt", "le", "gt", "ge"].map((name) => [name, 2] as const),
  ["pad", 3],
]);

const HTML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };
const JS: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

/** What a template may call. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set([...Object.keys(FUNCTIONS), "and", "or"]);
