// Real programs that nobody here wrote, from the recipes: each runs as a container on one in-memory image.
// Skips, by name, when the npm package cannot be had.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBytes, toByteString } from "@lapstrake/base";
import { OPEN, UnionFs, resolvePath } from "@lapstrake/layers";
import { bytesInput, chunkOutput, runNamed, type WasmExit } from "@lapstrake/wasm";
import { runCommand } from "@lapstrake/wasm/node";
import { componentize, componentizer } from "../../wasm/js/componentize.ts";
import { assemble } from "../../wasm/recipes/assemble.ts";
import { packageTarball } from "../../wasm/recipes/fetch.ts";
import { RECIPES } from "../../wasm/recipes/recipes.ts";
import { describe, expect, it } from "vitest";

const ENV = { PATH: "/usr/bin" };

/** The image of a recipe, or undefined without its package. */
function image(name: string): UnionFs | undefined {
  const recipe = RECIPES[name]!;
  const tarball = packageTarball(recipe.package);
  return tarball === undefined ? undefined : UnionFs.create(assemble(recipe, tarball));
}

function put(fs: UnionFs, name: string, text: string): void {
  const { handle } = fs.create(fs.root, name, 0o644, OPEN.write);
  const bytes = new TextEncoder().encode(text);
  fs.write(handle, bytes, 0, bytes.length, 0);
  fs.close(handle);
}

function contentOf(fs: UnionFs, path: string): string {
  const found = resolvePath(fs, fs.root, toByteString(path));
  if (typeof found === "number" || found.ino === 0) return "";
  const bytes = new Uint8Array(fs.getattr(found.ino).size);
  const handle = fs.open(found.ino, OPEN.read);
  fs.read(handle, bytes, 0, bytes.length, 0);
  fs.close(handle);
  return fromBytes(bytes);
}

function run(fs: UnionFs, args: string[], stdin = ""): WasmExit & { out: string; err: string } {
  let out = "";
  let err = "";
  const exit = runNamed({
    fs,
    args,
    env: ENV,
    stdin: bytesInput(new TextEncoder().encode(stdin)),
    stdout: chunkOutput((chunk) => (out += Buffer.from(chunk).toString())),
    stderr: chunkOutput((chunk) => (err += Buffer.from(chunk).toString())),
  });
  return { ...exit, out, err };
}

/** A test that needs the image of `name`. */
function withImage(name: string, title: string, body: (fs: UnionFs) => void): void {
  it(title, (context) => {
    const fs = image(name);
    if (fs === undefined) return context.skip(`npm package ${RECIPES[name]!.package} cannot be had`);
    body(fs);
  });
}

it("JavaScript becomes a component, which reads its input and writes files", async (context) => {
  const command = componentizer();
  if (command === undefined) return context.skip("npm package componentize-qjs cannot be had");
  const folder = mkdtempSync(join(tmpdir(), "lap-js-"));
  try {
    componentize(command, join(import.meta.dirname, "../../wasm/js/hello.js"), join(folder, "hello.wasm"));
    const fs = UnionFs.create([]);
    let out = "";
    const exit = await runCommand({
      fs,
      program: new Uint8Array(readFileSync(join(folder, "hello.wasm"))),
      args: ["hello", "you", "copied"],
      stdin: bytesInput(new TextEncoder().encode("in capitals")),
      stdout: chunkOutput((chunk) => (out += Buffer.from(chunk).toString())),
    });
    expect([exit.exitCode, out, contentOf(fs, "/copied")]).toEqual([0, "hello you from JavaScript\n", "IN CAPITALS"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("recipes", () => {
  withImage("python", "CPython imports its standard library and writes files", (fs) => {
    const script =
      "import json, os, hashlib; open('/out.json','w').write(json.dumps({'n': 6*7})); print(sorted(os.listdir('/')))";
    expect(run(fs, ["python", "-c", script])).toMatchObject({ exitCode: 0, out: "['out.json', 'usr']\n" });
    expect(contentOf(fs, "/out.json")).toBe('{"n": 42}');
    expect(run(fs, ["python", "-c", "raise SystemExit(9)"]).exitCode).toBe(9);
  });

  withImage("php", "PHP reads and writes files", (fs) => {
    put(fs, "a.php", "<?php file_put_contents('/o', strrev('abc')); echo 6 * 7, file_get_contents('/o');");
    expect(run(fs, ["php", "-q", "/a.php"])).toMatchObject({ exitCode: 0, out: "42cba" });
  });

  withImage("ruby", "Ruby reads and writes files", (fs) => {
    const script = "File.write('/o', 'hi'); puts File.read('/o'), Dir.children('/').sort.first";
    expect(run(fs, ["ruby", "-e", script])).toMatchObject({ exitCode: 0, out: "hi\no\n" });
  });

  withImage("sqlite", "SQLite, of the old wasi_unstable ABI, keeps a database", (fs) => {
    run(fs, ["sqlite3", "/db", "create table t(a); insert into t values(1),(2);"]);
    expect(run(fs, ["sqlite3", "-batch", "/db"], "select sum(a) from t;\n")).toMatchObject({ exitCode: 0, out: "3\n" });
    expect(fs.changes()).toEqual([{ kind: "A", path: "/db" }]);
  });

  withImage("clang", "clang compiles, the linker is started by a script, the result runs", (fs) => {
    put(
      fs,
      "h.c",
      '#include <stdio.h>\nint main(){FILE*f=fopen("/made","w");fputs("x",f);fclose(f);puts("compiled");return 5;}\n',
    );
    expect(run(fs, ["sh", "-c", "cc /h.c -o /h.wasm && /h.wasm"])).toMatchObject({
      exitCode: 5,
      out: "compiled\n",
      err: "",
    });
    expect(contentOf(fs, "/made")).toBe("x");
  });
});
