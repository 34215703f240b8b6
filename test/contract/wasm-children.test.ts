// Components as children: what a script starts, or `exec` lets in, may be one that is more than a wrapped module.
import { toByteString } from "@lapstrake/base";
import { OPEN, UnionFs } from "@lapstrake/layers";
import { chunkOutput, type GuestOutput } from "@lapstrake/wasm";
import { embedModule, parseWat } from "@lapstrake/wasm/component";
import { loadComponents, runCommand, runCommandNow } from "@lapstrake/wasm/node";
import { beforeAll, expect, it } from "vitest";

/** Copies up to 64 bytes of its input to its output; succeeds when it was called "good". */
const ECHOES = `(module
  (import "wasi:cli/stdin@0.2.0" "get-stdin" (func $stdin (result i32)))
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
  (import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
  (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $free (i32.and (i32.add (i32.add (global.get $free) (local.get 3)) (i32.const 15)) (i32.const -16)))
    (i32.sub (global.get $free) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16))))
  (func (export "wasi:cli/run@0.2.0#run") (result i32)
    (call $read (call $stdin) (i64.const 64) (i32.const 16))
    (if (i32.eqz (i32.load8_u (i32.const 16)))
      (then (call $write (call $stdout) (i32.load (i32.const 20)) (i32.load (i32.const 24)) (i32.const 48))))
    (call $arguments (i32.const 64))
    (i32.ne (i32.load8_u (i32.load (i32.load (i32.const 64)))) (i32.const ${"g".charCodeAt(0)}))))`;
const WIT = `package test:child;
world echoes {
  import wasi:cli/stdin@0.2.0; import wasi:cli/stdout@0.2.0; import wasi:cli/environment@0.2.0;
  import wasi:io/streams@0.2.0; export wasi:cli/run@0.2.0;
}
world asks { import wasi:http/outgoing-handler@0.2.0; export wasi:cli/run@0.2.0; }
package wasi:http@0.2.0 { interface outgoing-handler { handle: func(); } }
package wasi:cli@0.2.0 {
  interface environment { get-arguments: func() -> list<string>; }
  interface stdin { use wasi:io/streams@0.2.0.{input-stream}; get-stdin: func() -> input-stream; }
  interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
  interface run { run: func() -> result; }
}
package wasi:io@0.2.0 {
  interface error { resource error; }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
    resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
  }
}`;
const SENDS = `(module (import "wasi:http/outgoing-handler@0.2.0" "handle" (func))
  (memory (export "memory") 1) (func (export "wasi:cli/run@0.2.0#run") (result i32) (i32.const 0)))`;

let image: UnionFs;

beforeAll(async () => {
  image = UnionFs.create([]);
  for (const [name, text, world] of [
    ["good", ECHOES, "echoes"],
    ["bad", ECHOES, "echoes"],
    ["sends", SENDS, "asks"],
  ] as const) {
    const bytes = await embedModule(await parseWat(text), WIT, world);
    const { handle } = image.create(image.root, toByteString(name), 0o755, OPEN.write);
    image.write(handle, bytes, 0, bytes.length, 0);
    image.close(handle);
  }
});

const ENV = { PATH: "/" };

function collect(): { readonly output: GuestOutput; text: string } {
  const collected = { text: "", output: chunkOutput((chunk) => (collected.text += Buffer.from(chunk).toString())) };
  return collected;
}

it("a script starts components, in pipelines and with redirections", async () => {
  const fs = image.fork();
  const script = "echo one | good | good > /out; read x < /out; echo $x; echo two > /in; bad < /in || echo failed";
  const { output, ...seen } = collect();
  const collected = collect();
  const exit = await runCommand({ fs, args: ["sh", "-c", script], env: ENV, stdout: collected.output, stderr: output });
  expect([exit.exitCode, collected.text, seen.text]).toEqual([0, "one\ntwo\nfailed\n", ""]);
});

it("exec lets them in", async () => {
  const components = await loadComponents(undefined);
  const { exitCode } = runCommandNow({ fs: image.fork(), args: ["bad"], env: ENV, components });
  expect(exitCode).toBe(1);
});

it("one that may suspend is refused by name", async () => {
  const components = await loadComponents(undefined);
  expect(() => runCommandNow({ fs: image.fork(), args: ["sends"], env: ENV, components })).toThrow(
    expect.objectContaining({ code: "ERR_LAP_WASM_SUSPENDS" }),
  );
});
