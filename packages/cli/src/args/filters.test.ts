import { expect, it } from "vitest";
import { filterBool, hasLabel, matchesAll, parseFilters } from "./filters.ts";

interface Item {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const TESTS = {
  name: ({ name }: Item, value: string) => name.includes(value),
  label: ({ labels }: Item, value: string) => hasLabel(labels, value),
};
const item: Item = { name: "web1", labels: { a: "b", c: "" } };
const holds = (...texts: string[]): boolean => matchesAll(item, parseFilters(texts, TESTS), TESTS);

it("takes any of one key, all of different keys, and every label", () => {
  expect(holds()).toBe(true);
  expect(holds("name=db", "name=web")).toBe(true);
  expect(holds("name=web", "label=x")).toBe(false);
  expect(holds("label=a", "label=c")).toBe(true);
  expect(holds("label=a", "label=x")).toBe(false);
  expect(holds("label=a=b")).toBe(true);
  expect(holds("label=a=c")).toBe(false);
});

it("refuses keys and values in docker's words", () => {
  expect(() => parseFilters(["foo=bar"], TESTS)).toThrow("Invalid filter 'foo'");
  expect(() => filterBool("dangling", "maybe")).toThrow("invalid filter 'dangling=[maybe]'");
  expect([filterBool("dangling", "True"), filterBool("dangling", "0")]).toEqual([true, false]);
});
