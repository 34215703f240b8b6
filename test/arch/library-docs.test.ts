// The examples of docs/LIBRARY.md and of the packages beside it type-check as they stand, with the strictness of this repository.
// That they also do what they show is for test/kernel/engine-library-docs.test.ts.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const DOCS = ["docs/LIBRARY.md", "README.md", "packages/vitest/README.md", "packages/engine/README.md"];
// In the repository, where packages are found.
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(import.meta.dirname, ".examples-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function examplesOf(doc: string): string[] {
  const text = readFileSync(join(ROOT, doc), "utf8");
  const blocks = [...text.matchAll(/```ts ?(\w*)\n([\s\S]*?)```/g)];
  const prelude = blocks.find(([, kind]) => kind === "prelude")?.[2] ?? "";
  return blocks.filter(([, kind]) => kind !== "prelude").map(([, , code]) => `${prelude}\n${code!}\nexport {};\n`);
}

it("type-checks the examples of the documents", () => {
  const files = DOCS.flatMap((doc, at) =>
    examplesOf(doc).map((code, number) => {
      const file = `${at}-${number}.ts`;
      writeFileSync(join(folder, file), code);
      return file;
    }),
  );
  expect(files.length).toBeGreaterThan(12);
  const config = {
    extends: "../../../tsconfig.json",
    compilerOptions: { noEmit: true, noUnusedLocals: false, isolatedDeclarations: false },
    include: ["*.ts"],
    exclude: [],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const { stdout, status } = spawnSync(tsc, ["-p", folder], { encoding: "utf8", timeout: 120_000 });
  expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
}, 150_000);
