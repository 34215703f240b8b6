import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { filtersOf } from "./filters.ts";

const root = mkdtempSync(join(tmpdir(), "lap-filters-"));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const compiled = { program: new Uint8Array([1, 2, 10, 0, 255, 3, 4, 5]), flags: 4, listener: true, warnings: ["ä\n"] };

test("what was kept is found by the whole of its text only, and by nobody else on the machine", () => {
  const text = `{"ünïcode":1}\n${"x".repeat(1000)}`;
  filtersOf(root).keep(text, compiled);
  expect(filtersOf(root).find(text)).toEqual(compiled);
  // The same name by chance: only unsampled letters differ.
  expect(filtersOf(root).find(text.replace("xy", "yx").slice(0, -1) + "y")).toBeUndefined();
  const [file] = readdirSync(join(root, "filters@"));
  expect(statSync(join(root, "filters@", file!)).mode & 0o777).toBe(0o600);
});

test("a file that is no filter is no filter, and is written anew", () => {
  filtersOf(root).keep("text", compiled);
  const [file] = readdirSync(join(root, "filters@"));
  for (const content of ["", "x", "{}\n", "null\ntext", '{"made":"0"}\ntext']) {
    writeFileSync(join(root, "filters@", file!), content);
    expect(filtersOf(root).find("text")).toBeUndefined();
  }
  filtersOf(root).keep("text", compiled);
  expect(filtersOf(root).find("text")).toEqual(compiled);
});

test("a root that cannot be made keeps nothing and fails nothing", () => {
  expect(() => filtersOf("/dev/null/x").keep("text", compiled)).not.toThrow();
  expect(filtersOf("/dev/null/x").find("text")).toBeUndefined();
});
