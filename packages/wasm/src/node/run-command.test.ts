import { OPEN, UnionFs, type Ino } from "@lapstrake/layers";
import { describe, expect, it } from "vitest";
import { chunkOutput } from "../io/buffers.ts";
import { CALL, command, i32 } from "../testing/encode.ts";
import { runCommand } from "./run-command.ts";

const exits = (code: number): Uint8Array =>
  command([...i32(code), CALL, 0], [{ name: "proc_exit", parameters: "i", result: false }]);
const WAT = `(module (import "wasi_snapshot_preview1" "proc_exit" (func $e (param i32)))
  (memory (export "memory") 1) (func (export "_start") (call $e (i32.const 9))))`;

function put(fs: UnionFs, dir: Ino, name: string, content: Uint8Array | string): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const { handle } = fs.create(dir, name, 0o644, OPEN.write);
  fs.write(handle, bytes, 0, bytes.length, 0);
  fs.close(handle);
}

function image(): UnionFs {
  const fs = UnionFs.create([]);
  const bin = fs.mkdir(fs.mkdir(fs.root, "usr", 0o755), "bin", 0o755);
  put(fs, bin, "five.wasm", exits(5));
  put(fs, fs.root, "nine.wat", WAT);
  put(fs, fs.root, "script", "#!/bin/sh\nfive || exit $(( $? + 1 ))\n");
  put(fs, fs.root, "data", "\u007fELF");
  return fs;
}

describe("runCommand without a program", () => {
  it.each([
    [["/usr/bin/five.wasm"], 5],
    [["/usr/bin/five"], 5],
    [["five"], 5],
    [["nine.wat"], 9],
    [["/script"], 6],
    [["sh", "-c", "five; echo $?"], 0],
  ])("%j", async (args, exitCode) => {
    let out = "";
    const stdout = chunkOutput((chunk) => (out += new TextDecoder().decode(chunk)));
    expect(await runCommand({ fs: image(), args, env: { PATH: "/usr/bin" }, stdout })).toMatchObject({ exitCode });
    expect(out).toBe(args[0] === "sh" ? "5\n" : "");
  });

  it.each([
    ["missing", "ERR_LAP_WASM_NOT_FOUND", "notFound"],
    ["/usr", "ERR_LAP_WASM_NOT_A_FILE", "permissionDenied"],
    ["/data", "ERR_LAP_WASM_FORMAT", "invalidArgument"],
  ])("%s is %s", async (name, code, kind) => {
    await expect(runCommand({ fs: image(), args: [name] })).rejects.toMatchObject({ code, kind });
  });
});
