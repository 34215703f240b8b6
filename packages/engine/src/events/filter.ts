// Which events are asked for: docker's filters. Values of one key are alternatives (but for labels), keys must all hold (engine/daemon/events/filter.go's rules).
import { LapError } from "@lapstrake/base";
import type { EngineEvent } from "./event.ts";

/** `key` -> alternatives. */
export type EventFilters = Readonly<Record<string, readonly string[]>>;

type Test = (event: EngineEvent, value: string) => boolean;

/** By the beginning of the id or name of what the event is about, whatever that is: docker's fuzzy filters ask no further. */
function named({ id, attributes }: EngineEvent, value: string): boolean {
  return id.startsWith(value) || (attributes["name"] ?? "").startsWith(value);
}

const TESTS: Readonly<Record<string, Test>> = {
  container: named,
  image: ({ type, id, attributes }, value) => {
    const name = (type === "image" ? attributes["name"] : attributes["image"]) ?? "";
    return id === value || name === value || withoutTag(name) === value;
  },
  network: named,
  volume: named,
  type: ({ type }, value) => type === value,
  // `exec_start: sh` is of the event exec_start too.
  event: ({ action }, value) => action === value || action.startsWith(`${value}:`),
  scope: (_, value) => value === "local",
  label: ({ attributes }, value) => {
    const at = value.indexOf("=");
    return at < 0 ? Object.hasOwn(attributes, value) : attributes[value.slice(0, at)] === value.slice(at + 1);
  },
  // What a single machine has none of.
  daemon: () => false,
  plugin: () => false,
  node: () => false,
  service: () => false,
  secret: () => false,
  config: () => false,
};

function withoutTag(name: string): string {
  const at = name.lastIndexOf(":");
  return at > name.lastIndexOf("/") ? name.slice(0, at) : name;
}

/** Throws `ERR_LAP_FILTER_INVALID` for a key that is none. */
export function checkFilters(filters: EventFilters): void {
  for (const key of Object.keys(filters)) {
    if (!Object.hasOwn(TESTS, key)) {
      throw new LapError("invalidArgument", "ERR_LAP_FILTER_INVALID", `invalid filter '${key}'`);
    }
  }
}

/** Every key must hold; of labels every value too. */
export function matchesFilters(event: EngineEvent, filters: EventFilters): boolean {
  return Object.entries(filters).every(([key, values]) => {
    const test = (value: string): boolean => TESTS[key]!(event, value);
    return key === "label" ? values.every(test) : values.some(test);
  });
}
