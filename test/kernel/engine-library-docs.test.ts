// The examples of docs/LIBRARY.md, run as they stand: each in its own process, with the lines it starts with, against the output it shows.
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const text = readFileSync(join(ROOT, "docs/LIBRARY.md"), "utf8");
const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const shown = /```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(readme)!;
const prelude = /```ts prelude\n([\s\S]*?)```/.exec(text)![1]!;
const examples = [
  ...text.matchAll(/\*\*(\d+\. [^*]+)\*\*\n\n```ts ?\w*\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g),
].map(([, title, code, output]) => ({ title: title!, code: code!, output: output! }));

needs("root", "overlayfs", "native").describe("the examples of docs/LIBRARY.md", () => {
  let lap: LapStore;
  beforeAll(async () => {
    lap = new LapStore();
    lap.loadPrograms();
    lap.ok("tag", "progs:1", "alpine:3.20");
    await buildGuests(join(lap.folder, "guests"));
    copyFileSync(join(lap.folder, "guests/hello.wasm"), join(lap.folder, "hello.wasm"));
  });
  afterAll(() => lap.close());

  it("are all there", () => {
    const numbers = [...text.matchAll(/^\*\*(\d+)\./gm)].map(([, number]) => Number(number));
    expect(examples.map(({ title }) => Number.parseInt(title, 10))).toEqual(numbers);
  });

  it.each(examples)("$title", ({ code, output }) => example(`${prelude}\n${code}`, output));

  it("and that of the README", () => example(shown[1]!, shown[2]!));

  async function example(code: string, output: string): Promise<void> {
    // In the repository, where packages are found.
    const file = join(ROOT, "test", "kernel", `.example-${process.pid}.ts`);
    writeFileSync(file, code);
    try {
      const args = ["--conditions=@lapstrake/source", "--no-warnings", file];
      // Compiled once for all: the engine's sources take most of the time.
      const env = { ...process.env, LAP_ROOT: lap.root, NODE_COMPILE_CACHE: join(lap.folder, "compiled") };
      const { stdout, stderr } = await run(process.execPath, args, { cwd: lap.folder, env, timeout: 60_000 });
      expect({ stdout, stderr }).toEqual({ stdout: output, stderr: "" });
    } finally {
      rmSync(file);
    }
    expect(readdirSync(join(lap.root, "containers"))).toEqual([]);
  }
});
