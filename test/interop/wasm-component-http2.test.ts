// wasi:http 0.2 without any toolchain: a guest in text form that echoes bodies, and one that leaves its answer half.
import { UnionFs } from "@lapstrake/layers";
import type { HttpBody, HttpRequest, HttpResponse } from "@lapstrake/wasm";
import { embedModule, openHttpComponent, parseWat, type HttpComponent } from "@lapstrake/wasm/component";
import { describe, expect, it } from "vitest";

/** As much of the standard interfaces as the guest uses. */
const WIT = `package test:guest;
world proxy { import wasi:http/types@0.2.0; export wasi:http/incoming-handler@0.2.0; }
package wasi:io@0.2.0 {
  interface error { resource error; }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
    resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
  }
}
package wasi:http@0.2.0 {
  interface types {
    use wasi:io/streams@0.2.0.{input-stream, output-stream};
    variant error-code { HTTP-request-denied, internal-error(option<string>) }
    resource fields { constructor(); }
    resource incoming-body { %stream: func() -> result<input-stream>; }
    resource incoming-request { consume: func() -> result<incoming-body>; }
    resource outgoing-body {
      write: func() -> result<output-stream>;
      finish: static func(this: outgoing-body, trailers: option<fields>) -> result<_, error-code>;
    }
    resource outgoing-response {
      constructor(headers: fields);
      set-status-code: func(status-code: u16) -> result;
      body: func() -> result<outgoing-body>;
    }
    resource response-outparam {
      set: static func(param: response-outparam, response: result<outgoing-response, error-code>);
    }
  }
  interface incoming-handler {
    use types.{incoming-request, response-outparam};
    handle: func(request: incoming-request, response-out: response-outparam);
  }
}`;

/** Results are at address 0: a case byte, then the value at 4. Blocks of cabi_realloc start at 1024 again for each chunk. */
function guest(finish: string): string {
  return `(module
  (import "wasi:http/types@0.2.0" "[method]incoming-request.consume" (func $consume (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]incoming-body.stream" (func $stream (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.0" "[constructor]outgoing-response" (func $response (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-response.set-status-code" (func $status (param i32 i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-response.body" (func $body (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func $write (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.0" "[static]response-outparam.set" (func $set (param i32 i32 i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $put (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))
  (memory (export "memory") 32)
  (global $free (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get 3))))
  (func (export "wasi:http/incoming-handler@0.2.0#handle") (param $request i32) (param $out i32)
    (local $in i32) (local $answer i32) (local $sink i32) (local $to i32)
    (call $consume (local.get $request) (i32.const 0))
    (call $stream (i32.load (i32.const 4)) (i32.const 0))
    (local.set $in (i32.load (i32.const 4)))
    (local.set $answer (call $response (call $fields)))
    (drop (call $status (local.get $answer) (i32.const 201)))
    (call $body (local.get $answer) (i32.const 0))
    (local.set $sink (i32.load (i32.const 4)))
    (call $write (local.get $sink) (i32.const 0))
    (local.set $to (i32.load (i32.const 4)))
    (call $set (local.get $out) (i32.const 0) (local.get $answer) (i32.const 0) (i32.const 0) (i32.const 0))
    (block $end (loop $more
      (global.set $free (i32.const 1024))
      (call $read (local.get $in) (i64.const 65536) (i32.const 0))
      (br_if $end (i32.load8_u (i32.const 0)))
      (call $put (local.get $to) (i32.load (i32.const 4)) (i32.load (i32.const 8)) (i32.const 16))
      (br_if $more (i32.eqz (i32.load8_u (i32.const 16))))))
    (call $drop (local.get $to))
    ${finish}))`;
}

const FINISHES = "(call $finish (local.get $sink) (i32.const 0) (i32.const 0) (i32.const 0))";

async function open(finish: string): Promise<HttpComponent> {
  const component = await embedModule(await parseWat(guest(finish)), WIT, "proxy");
  return openHttpComponent({ fs: UnionFs.create([]), component, args: ["guest"], limits: { timeoutMs: 10_000 } });
}

function bodyOf(chunks: readonly Uint8Array[]): HttpBody {
  async function* values(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  return { chunks: values(), trailers: Promise.resolve(undefined) };
}

function post(body: HttpBody | undefined): HttpRequest {
  return { method: "POST", scheme: "http", authority: "guest", pathWithQuery: "/", headers: [], body };
}

async function bytesOf(response: HttpResponse): Promise<number[]> {
  const lengths: number[] = [];
  for await (const chunk of response.body?.chunks ?? []) lengths.push(chunk.length);
  return lengths;
}

describe("a 0.2 component that answers requests", () => {
  it("streams a body through, larger than what waits in between", async () => {
    using component = await open(FINISHES);
    const chunks = Array.from({ length: 40 }, (_, index) => new Uint8Array(10_000).fill(index));
    const response = await component.handle(post(bodyOf(chunks)));
    expect(response.status).toBe(201);
    const lengths = await bytesOf(response);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(400_000);
  });

  it("answers requests without a body, several at the same time", async () => {
    using component = await open(FINISHES);
    const answers = await Promise.all([1, 2, 3].map(() => component.handle(post(undefined))));
    expect(await Promise.all(answers.map((answer) => bytesOf(answer)))).toEqual([[], [], []]);
  });

  it("fails a body that the guest never finished", async () => {
    using component = await open("");
    const response = await component.handle(post(undefined));
    await expect(bytesOf(response)).rejects.toMatchObject({ tag: "internal-error" });
  });

  it("fails a request whose guest traps before it answers", async () => {
    const wat = guest(FINISHES).replace(
      "(call $consume (local.get $request)",
      "(unreachable) (call $consume (local.get $request)",
    );
    const component = await embedModule(await parseWat(wat), WIT, "proxy");
    using opened = await openHttpComponent({ fs: UnionFs.create([]), component, args: ["guest"] });
    await expect(opened.handle(post(undefined))).rejects.toThrow(/unreachable/);
  });
});
