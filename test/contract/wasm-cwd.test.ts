// A working directory other than "/" for every kind of guest: C programs (whose libc knows of none), components, the built-in shell.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toByteString } from "@lapstrake/base";
import { OPEN, UnionFs } from "@lapstrake/layers";
import { chunkOutput, type GuestOutput } from "@lapstrake/wasm";
import { embedModule, parseWat } from "@lapstrake/wasm/component";
import { runCommand } from "@lapstrake/wasm/node";
import { expect, it } from "vitest";
import { clangMissing, compileC } from "../support/wasm-clang.ts";

const CWD = "/app/sub";

/** /top, /lib/system, /app/up, /app/sub/{here,lib/own} */
function image(): UnionFs {
  const fs = UnionFs.create([]);
  const lib = fs.mkdir(fs.root, "lib", 0o755);
  const app = fs.mkdir(fs.root, "app", 0o755);
  const sub = fs.mkdir(app, "sub", 0o755);
  const own = fs.mkdir(sub, "lib", 0o755);
  for (const [dir, name] of [
    [fs.root, "top"],
    [lib, "system"],
    [app, "up"],
    [sub, "here"],
    [own, "own"],
  ] as const) {
    const { handle } = fs.create(dir, toByteString(name), 0o644, OPEN.write);
    fs.write(handle, Buffer.from(name), 0, name.length, 0);
    fs.close(handle);
  }
  return UnionFs.create([fs.freeze()]);
}

async function run(fs: UnionFs, program: Uint8Array<ArrayBuffer> | undefined, args: string[]): Promise<string> {
  let text = "";
  const output: GuestOutput = chunkOutput((chunk) => (text += Buffer.from(chunk).toString()));
  const exit = await runCommand({ fs, program, args, cwd: CWD, stdout: output, stderr: output });
  return `${text}${exit.exitCode}`;
}

it.skipIf(clangMissing !== undefined)("a C program's relative and absolute names mean what they say", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lap-cwd-"));
  try {
    compileC("cwd", join(dir, "cwd.wasm"), "wasm");
    const fs = image();
    const program = new Uint8Array(readFileSync(join(dir, "cwd.wasm")));
    const read = ["here", "./here", "../up", "lib/own", "/lib/system", "/app/up", "/top", "../../top", "/app/sub/here"];
    const out = await run(fs, program, ["cwd", ...read.map((path) => `r:${path}`), "r:none", "w:new", "w:/app/made"]);
    const expected = read.map((path) => `${path} ${path.replace(/.*\//, "")}\n`).join("");
    expect(out).toBe(`${expected}none -\nnew x\n/app/made x\n0`);
    expect(fs.changes().map(({ path }) => path)).toEqual(["/app", "/app/made", "/app/sub", "/app/sub/new"]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

/** Ends well when wasi:cli/environment says "/app/sub". */
const ASKS = `(module
  (import "wasi:cli/environment@0.2.1" "initial-cwd" (func $cwd (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "wasi:cli/run@0.2.1#run") (result i32)
    (call $cwd (i32.const 16))
    (i32.eqz (i32.and
      (i32.eq (i32.load (i32.const 24)) (i32.const 8))
      (i64.eq (i64.load (i32.load (i32.const 20))) (i64.const ${Buffer.from(CWD).readBigInt64LE()}))))))`;
const WIT = `package test:cwd;
world asks { import wasi:cli/environment@0.2.1; export wasi:cli/run@0.2.1; }
package wasi:cli@0.2.1 {
  interface environment { initial-cwd: func() -> option<string>; }
  interface run { run: func() -> result; }
}`;

it("a component is told its initial directory", async () => {
  const component = await embedModule(await parseWat(ASKS), WIT, "asks");
  expect(await run(image(), component, ["asks"])).toBe("0");
});

it("the built-in shell starts there", async () => {
  expect(
    await run(image(), undefined, ["sh", "-c", "pwd; echo $PWD; read x < here; echo $x; echo > made; echo *"]),
  ).toBe("/app/sub\n/app/sub\nhere\nhere lib made\n0");
});
