// The house as it stands: every rule of this folder over every file of the clone.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HOT_PATHS } from "./rooms.ts";
import {
  brokenLinks,
  constructs,
  declared,
  deepImports,
  fences,
  headers,
  importBudget,
  importDirections,
  sizes,
} from "./rules.ts";
import type { Files } from "./source.ts";

const ROOT = join(import.meta.dirname, "../..");
const SKIPPED: ReadonlySet<string> = new Set(["node_modules", "dist", "out", "coverage"]);

function* paths(folder: string): Generator<string> {
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    // Tests that run at the same time have examples in the repository, which come and go.
    if (entry.name.startsWith(".")) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* paths(path);
    else if (entry.isFile() && /\.(?:ts|c|h|S)$|\.md$|(?:^|\/)package\.json$/.test(entry.name)) yield path;
  }
}

const files: Files = new Map([...paths("")].map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));

test.each([
  ["rooms import only the rooms below them", importDirections],
  ["dependencies stay behind their fences", fences],
  ["nothing reaches behind a package's exports", deepImports],
  ["no forbidden construct", constructs],
  ["run-time imports are declared dependencies", declared],
  ["every file opens with a comment", headers],
  ["no file is longer than its budget", sizes],
])("%s", (_title, rule) => {
  expect(rule(files)).toEqual([]);
});

test("no way to a running container reaches memfs, jco, commander or koffi's wrapper statically", () => {
  expect(importBudget(files, HOT_PATHS)).toEqual([]);
});

test("links between documents lead somewhere", () => {
  const documents: Files = new Map([...files].filter(([path]) => path.endsWith(".md")));
  expect(documents.size).toBeGreaterThan(0);
  expect(brokenLinks(documents, (path) => existsSync(join(ROOT, path)))).toEqual([]);
});
