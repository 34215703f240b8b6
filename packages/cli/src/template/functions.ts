// What templates may call: Go's built-ins and docker's additions (docker/cli templates package).
import { structFields } from "./go-structs.ts";
import { templateError } from "./lexer.ts";

export type Value = unknown;
type Fn = (args: readonly Value[]) => Value;

/** JSON as Go writes it: `<`, `>`, `&` and line separators escaped. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A value as Go's fmt prints it with %v. */
export function goText(value: Value): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value !== "object") return String(value as string | number | boolean);
  const fields = structFields(value);
  if (fields !== undefined) {
    return `{${fields.map(([name, nil]) => fieldText((value as Record<string, Value>)[name], nil)).join(" ")}}`;
  }
  const pairs = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `map[${pairs.map(([name, item]) => `${name}:${goText(item)}`).join(" ")}]`;
}

function fieldText(value: Value, nil: string): string {
  return value === null || value === undefined ? nil : goText(value);
}

/** Go's truth: empty and zero values are false. */
export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function lengthOf(value: Value): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  if (typeof value === "object" && value !== null) return Object.keys(value).length;
  throw templateError("error calling len: len of untyped nil");
}

function index([start, ...keys]: readonly Value[]): Value {
  return keys.reduce((value: Value, key) => {
    if (Array.isArray(value)) {
      const item: unknown = value[Number(key)];
      if (item === undefined) throw templateError(`error calling index: index out of range: ${String(key)}`);
      return item;
    }
    if (typeof value === "object" && value !== null) return (value as Record<string, Value>)[String(key)] ?? "";
    throw templateError("error calling index: index of untyped nil");
  }, start);
}

function printf([format, ...args]: readonly Value[]): string {
  let next = 0;
  return String(format).replaceAll(/%(-?\d*)([svdqtx%])/g, (_, width: string, verb: string) => {
    if (verb === "%") return "%";
    const value = args[next++];
    const text =
      verb === "q" ? JSON.stringify(String(value)) : verb === "x" ? Number(value).toString(16) : goText(value);
    return width.startsWith("-") ? text.padEnd(Number(width.slice(1))) : text.padStart(Number(width));
  });
}

function compare(test: (a: never, b: never) => boolean): Fn {
  return ([a, b]) => test(a as never, b as never);
}

/** By name. */
export const FUNCTIONS: Readonly<Record<string, Fn>> = {
  json: ([value]) => JSON.stringify(value) ?? "null",
  join: ([list, separator]) => ((list as readonly string[] | null) ?? []).join(String(separator)),
  split: ([text, separator]) => String(text).split(String(separator)),
  lower: ([text]) => String(text).toLowerCase(),
  upper: ([text]) => String(text).toUpperCase(),
  title: ([text]) => String(text).replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  pad: ([text, before, after]) => " ".repeat(Number(before)) + String(text) + " ".repeat(Number(after)),
  truncate: ([text, length]) => [...String(text)].slice(0, Number(length)).join(""),
  println: (args) => `${args.map(goText).join(" ")}\n`,
  print: (args) => args.map(goText).join(""),
  printf,
  len: ([value]) => lengthOf(value),
  index,
  not: ([value]) => !isTrue(value),
  and: (args) => args.find((value) => !isTrue(value)) ?? args.at(-1),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  eq: ([first, ...others]) => others.some((other) => other === first),
  ne: compare((a, b) => a !== b),
  lt: compare((a, b) => a < b),
  le: compare((a, b) => a <= b),
  gt: compare((a, b) => a > b),
  ge: compare((a, b) => a >= b),
  html: ([text]) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"),
  urlquery: ([text]) => encodeURIComponent(String(text)),
};
