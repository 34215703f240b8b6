// Values of templates as Go sees and prints them.
import { isSetKey, structFields } from "./go-structs.ts";

export type Value = unknown;

/** What a map has not: it prints as such, and is false. */
export const NO_VALUE: unique symbol = Symbol("no value");

/** JSON as Go writes it: `<`, `>`, `&` and line separators escaped. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
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
