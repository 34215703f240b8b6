// Each architecture rule must fail when its violation is planted, and stay silent beside it.
import { expect, test } from "vitest";
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

function plant(files: Readonly<Record<string, string>>): Files {
  const manifests = ["base", "layers", "engine", "cli"].map((room) => [
    `packages/${room}/package.json`,
    JSON.stringify({
      name: `@lapstrake/${room}`,
      exports: { ".": { "@lapstrake/source": "./src/index.ts" } },
      dependencies: { "@lapstrake/base": "", "@lapstrake/engine": "" },
    }),
  ]);
  return new Map([...(manifests as [string, string][]), ...Object.entries(files)]);
}

test("import directions", () => {
  const up = plant({ "packages/layers/src/a.ts": `import type { E } from "@lapstrake/engine";` });
  expect(importDirections(up)).toEqual(["packages/layers/src/a.ts: may not import @lapstrake/engine"]);
  const lazily = plant({ "packages/base/src/a.ts": `await import("@lapstrake/layers");` });
  expect(importDirections(lazily)).toEqual(["packages/base/src/a.ts: may not import @lapstrake/layers"]);
  const toCli = plant({ "packages/engine/src/a.ts": `export { x } from "@lapstrake/cli";` });
  expect(importDirections(toCli)).toEqual(["packages/engine/src/a.ts: may not import @lapstrake/cli"]);
  const runtime = plant({ "packages/cli/src/runtime/a.ts": `import { x } from "@lapstrake/engine";` });
  expect(importDirections(runtime)).toEqual(["packages/cli/src/runtime/a.ts: may not import @lapstrake/engine"]);
  expect(importDirections(plant({ "packages/attic/src/a.ts": "" }))).toHaveLength(1);
  expect(importDirections(plant({ "packages/engine/src/a.ts": `import { x } from "@lapstrake/base";` }))).toEqual([]);
});

test.each([
  ["packages/core/src/launch/a.ts", `createRequire(import.meta.url)("x"); require("@koromix/koffi-linux-x64");`],
  ["packages/core/src/launch/a.ts", `import koffi from "koffi";`],
  ["packages/layers/src/a.ts", `import { fs } from "memfs";`],
  ["packages/wasm/src/host.ts", `await import("@bytecodealliance/jco-transpile");`],
  ["packages/engine/src/a.ts", `import { Command } from "commander";`],
  ["packages/base/src/a.ts", `import { readFileSync } from "node:fs";`],
  ["packages/layers/src/fs/a.ts", `import { readFileSync } from "node:fs";`],
])("fence: %s with %s", (path, text) => {
  expect(fences(plant({ [path]: text }))).toHaveLength(1);
});

test.each([
  ["packages/core/src/sys/a.ts", `require("@koromix/koffi-linux-x64");`],
  ["packages/layers/src/memfs/a.ts", `import { fs } from "memfs";`],
  ["packages/layers/src/a.test.ts", `import { fs } from "memfs";`],
  ["packages/layers/src/node/a.ts", `import { readFileSync } from "node:fs";`],
  ["packages/wasm/src/component.ts", `await import("@bytecodealliance/jco-transpile");`],
])("inside the fence: %s with %s", (path, text) => {
  expect(fences(plant({ [path]: text }))).toEqual([]);
});

test("deep imports", () => {
  expect(deepImports(plant({ "packages/engine/src/a.ts": `import "@lapstrake/base/src/errors.ts";` }))).toHaveLength(1);
  expect(deepImports(plant({ "packages/engine/src/a.ts": `import "../../base/src/errors.ts";` }))).toHaveLength(1);
  expect(deepImports(plant({ "test/kernel/a.test.ts": `import "../../packages/base/src/errors.ts";` }))).toHaveLength(
    1,
  );
  expect(deepImports(plant({ "packages/engine/src/a.ts": `import "@lapstrake/base"; import "./b.ts";` }))).toEqual([]);
});

test.each([
  ["packages/base/src/a.ts", "export default 1;", "default export"],
  ["packages/base/src/a.ts", `export * from "./b.ts";`, "export *"],
  ["packages/base/src/a.ts", "export enum A { B }", "enum"],
  ["packages/engine/src/a.ts", "console.log(1);", "console"],
  ["packages/engine/src/a.ts", "process.exit(1);", "process.exit"],
])("construct: %s with %s", (path, text, found) => {
  expect(constructs(plant({ [path]: text }))).toEqual([`${path}: ${found}`]);
});

test("constructs allowed in the command line", () => {
  expect(constructs(plant({ "packages/cli/src/a.ts": "console.log(1); process.exit(1);" }))).toEqual([]);
});

test("undeclared dependencies", () => {
  const text = `import { a } from "left-pad/x"; import "node:fs"; import "@lapstrake/base";`;
  expect(declared(plant({ "packages/engine/src/a.ts": text }))).toEqual([
    `packages/engine/src/a.ts: "left-pad" is not in the package's dependencies`,
  ]);
  expect(declared(plant({ "packages/engine/src/a.test.ts": text }))).toEqual([]);
});

test("headers", () => {
  expect(headers(plant({ "packages/base/src/a.ts": "export {};" }))).toEqual([
    "packages/base/src/a.ts: no comment at its head",
  ]);
  expect(headers(plant({ "native/src/a.c": "int main;" }))).toHaveLength(1);
  expect(headers(plant({ "a.ts": "#!/usr/bin/env node\n// Says.\n", "b.c": "/* Says. */" }))).toEqual([]);
});

test("sizes", () => {
  expect(sizes(plant({ "native/src/a.c": "\n".repeat(501) }))).toEqual(["native/src/a.c: 501 lines, at most 500"]);
  expect(sizes(plant({ "native/src/a.c": "\n".repeat(500) }))).toEqual([]);
});

test("import budget follows static imports through packages, not lazy ones", () => {
  const graph = {
    "packages/cli/src/lap.ts": `import "./b.ts"; await import("./lazy.ts");`,
    "packages/cli/src/b.ts": `import { e } from "@lapstrake/engine"; import type { C } from "commander";`,
    "packages/cli/src/lazy.ts": `import "commander";`,
    "packages/engine/src/index.ts": `export { fs } from "./fs.ts";`,
    "packages/engine/src/fs.ts": `import { fs } from "memfs";`,
  };
  expect(importBudget(plant(graph), ["packages/cli/src/lap.ts"])).toEqual([
    "packages/cli/src/lap.ts > packages/cli/src/b.ts > packages/engine/src/index.ts > packages/engine/src/fs.ts > memfs",
  ]);
  expect(importBudget(plant(graph), ["packages/cli/src/lazy.ts"])).toEqual(["packages/cli/src/lazy.ts > commander"]);
  expect(importBudget(plant({ ...graph, "packages/engine/src/fs.ts": "" }), ["packages/cli/src/lap.ts"])).toEqual([]);
});

test("links of documents", () => {
  const documents = new Map([
    ["docs/a.md", "[b](b.md#part) [up](../README.md) [web](https://example.org) [here](#part)"],
  ]);
  expect(brokenLinks(documents, (path) => path === "README.md")).toEqual([
    "docs/a.md: links to docs/b.md, which does not exist",
  ]);
});
