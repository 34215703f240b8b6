// `--filter key=value` of the list and prune commands, in docker's words: same keys are alternatives (but for labels), different keys
// must all hold.
import { LapError } from "@lapstrake/base";
import type { Flag } from "./types.ts";

/** One `key=value`. */
export interface Filter {
  readonly key: string;
  readonly value: string;
}

/** `-f, --filter` of list commands. */
export const FILTER_FLAG: Flag = {
  long: "filter",
  short: "f",
  kind: "list",
  valueName: "filter",
  help: "Filter output based on conditions provided",
  check: checkFilter,
};

/** `--filter` of prune commands, where -f is --force. */
export const PRUNE_FILTER_FLAG: Flag = {
  long: "filter",
  kind: "list",
  valueName: "filter",
  help: 'Provide filter values (e.g. "label=<key>=<value>")',
  check: checkFilter,
};

function checkFilter(text: string): void {
  if (text !== "" && !text.includes("=")) {
    throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", "bad format of filter (expected name=value)");
  }
}

/** What was given, each key one of `known`. Throws `ERR_LAP_FILTER_INVALID`. */
export function parseFilters(texts: readonly string[], known: Readonly<Record<string, unknown>>): Filter[] {
  return texts
    .filter((text) => text !== "")
    .map((text) => {
      const at = text.indexOf("=");
      const filter = { key: text.slice(0, at).trim().toLowerCase(), value: text.slice(at + 1).trim() };
      if (Object.hasOwn(known, filter.key)) return filter;
      throw new LapError("invalidArgument", "ERR_LAP_FILTER_INVALID", `Invalid filter '${filter.key}'`);
    });
}

/** True when every key has a value that `tests` accepts; of labels, every value must hold. */
export function matchesAll<T>(
  item: T,
  filters: readonly Filter[],
  tests: Readonly<Record<string, (item: T, value: string) => boolean>>,
): boolean {
  const keys = [...new Set(filters.map(({ key }) => key))];
  return keys.every((key) => {
    const values = filters.filter((filter) => filter.key === key).map(({ value }) => value);
    const test = (value: string): boolean => tests[key]!(item, value);
    return key.startsWith("label") ? values.every(test) : values.some(test);
  });
}

/** `label=NAME[=VALUE]`. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf("=");
  const name = at < 0 ? wanted : wanted.slice(0, at);
  return Object.hasOwn(labels, name) && (at < 0 || labels[name] === wanted.slice(at + 1));
}

/** A filter's yes or no. Throws `ERR_LAP_FILTER_INVALID`. */
export function filterBool(key: string, value: string): boolean {
  if (["1", "true", "t"].includes(value.toLowerCase())) return true;
  if (["0", "false", "f"].includes(value.toLowerCase())) return false;
  throw new LapError("invalidArgument", "ERR_LAP_FILTER_INVALID", `invalid filter '${key}=[${value}]'`);
}
