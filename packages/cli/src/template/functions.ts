// What templates may call: Go's built-ins and docker's additions (docker/cli templates package).
import { isSetKey } from "./go-structs.ts";
import { print, printf } from "./printf.ts";
import { NO_VALUE, goText, isTrue, typeName, type Value } from "./values.ts";

type Fn = (args: readonly Value[]) => Value;

/** A function that was called wrongly; `isBare` where Go does not say "error calling". */
export class FunctionError extends Error {
  readonly isBare: boolean;

  constructor(message: string, isBare = false) {
    super(message);
    this.isBare = isBare;
  }
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
