// The shell as a process of a system: its programs are real modules of the same filesystem.
import { OPEN, UnionFs } from "@lapstrake/layers";
import { expect, test } from "vitest";
import { chunkOutput } from "../io/buffers.ts";
import { runNamed } from "../run/run-module.ts";

/** (module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (func (export "_start") (call 0 (i32.const 7)))) */
const EXIT_7 = Uint8Array.from(
  [0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 2, 96, 1, 127, 0, 96, 0, 0, 2, 36, 1, 22].concat(
    [..."wasi_snapshot_preview1"].map((char) => char.charCodeAt(0)),
    [9],
    [..."proc_exit"].map((char) => char.charCodeAt(0)),
    [0, 0, 3, 2, 1, 1, 7, 10, 1, 6],
    [..."_start"].map((char) => char.charCodeAt(0)),
    [0, 1, 10, 8, 1, 6, 0, 65, 7, 16, 0, 11],
  ),
);

function run(script: string): { readonly out: string; readonly exitCode: number } {
  const fs = UnionFs.create([]);
  const { handle } = fs.create(fs.root, "seven.wasm", 0o755, OPEN.write);
  fs.write(handle, EXIT_7, 0, EXIT_7.length, 0);
  fs.close(handle);
  let out = "";
  const take = chunkOutput((chunk) => (out += new TextDecoder().decode(chunk)));
  const { exitCode } = runNamed({ fs, args: ["sh", "-c", script], env: { PATH: "/" }, stdout: take, stderr: take });
  return { out, exitCode };
}

test("programs run and give their status", () => {
  expect(run("./seven.wasm; echo $?; seven && echo no; exit 3")).toEqual({ out: "7\n", exitCode: 3 });
});

test("pipelines, and conditions on programs", () => {
  const script = "echo x | ./seven.wasm; echo $?; if ./seven.wasm; then :; else echo failed; fi";
  expect(run(script).out).toBe("7\nfailed\n");
});

test("a program that is none or is not there", () => {
  const { out, exitCode } = run("nothing; echo $?; echo text >t; ./t");
  expect(out).toContain("127");
  expect(exitCode).not.toBe(0);
});
