// The guest of the demo, on layers: what it prints and what it changes.
import { toByteString } from "@lapstrake/base";
import { OPEN, UnionFs } from "@lapstrake/layers";
import { chunkOutput, compileModule, runModule, type WasmExit, type WasmModule } from "@lapstrake/wasm";
import { parseWat } from "@lapstrake/wasm/component";
import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";

let module: WasmModule;

beforeAll(async () => {
  const text = readFileSync(new URL("../../wasm/wat/hello.wat", import.meta.url), "utf8");
  module = compileModule(await parseWat(text));
});

function image(): UnionFs {
  const fs = UnionFs.create([]);
  put(fs, "motd", "welcome\n");
  put(fs, "old", "x");
  fs.mkdir(fs.root, "many", 0o755);
  return UnionFs.create([fs.freeze()]);
}

function put(fs: UnionFs, name: string, text: string): void {
  const { handle } = fs.create(fs.root, name, 0o644, OPEN.write);
  fs.write(handle, Buffer.from(text), 0, text.length, 0);
  fs.close(handle);
}

function run(fs: UnionFs, ...args: string[]): WasmExit & { out: string; err: string } {
  let out = "";
  let err = "";
  const stdout = chunkOutput((chunk) => (out += Buffer.from(chunk).toString()));
  const stderr = chunkOutput((chunk) => (err += Buffer.from(chunk).toString()));
  return { ...runModule({ fs, module, args: ["hello", ...args], stdout, stderr }), out, err };
}

it("says hello", () => {
  expect(run(image())).toMatchObject({ exitCode: 0, out: "hello from WebAssembly\n" });
});

it("lists, reads, writes and removes files of the layers", () => {
  const fs = image();
  const exit = run(fs, "ls", "/", "cat", "/motd", "write", "/new", "text", "rm", "/old", "cat", "new");
  expect(exit).toMatchObject({ exitCode: 0, out: "many\nmotd\nold\nwelcome\ntext\n" });
  expect(fs.changes()).toEqual([
    { kind: "A", path: "/new" },
    { kind: "D", path: "/old" },
  ]);
});

it("lists a directory that does not fit into one buffer", () => {
  const fs = image();
  const dir = fs.lookup(fs.root, "many");
  const names = Array.from({ length: 1500 }, (_, i) => `file-with-a-rather-long-name-${1000 + i}`);
  for (const name of names) fs.close(fs.create(dir, toByteString(name), 0o644, OPEN.write).handle);
  expect(run(fs, "ls", "/many").out.split("\n").slice(0, -1)).toEqual(names);
});

it("names the path and the errno of a failed call", () => {
  expect(run(image(), "cat", "/nothing")).toMatchObject({ exitCode: 1, err: "hello: errno 044: /nothing\n" });
  expect(run(image(), "fly")).toMatchObject({ exitCode: 2 });
});
