// Components of wasi:http 0.2 in text form, for containers that answer requests: one echoes bodies, one traps, one spins, and one sends a
// request itself to the host that its own request's path names, with $KEY in a header, and answers with the status it got.
import { embedModule, parseWat } from "@lapstrake/wasm/component";
import { WIT_IO } from "./wit-io.ts";

/** As much of the standard interfaces as the guests use. */
const WIT = `package test:guest;
world proxy { import wasi:http/types@0.2.0; export wasi:http/incoming-handler@0.2.0; }
world sender {
  import wasi:cli/environment@0.2.0; import wasi:io/poll@0.2.0;
  import wasi:http/types@0.2.0; import wasi:http/outgoing-handler@0.2.0; export wasi:http/incoming-handler@0.2.0;
}
package wasi:cli@0.2.0 { interface environment { get-environment: func() -> list<tuple<string, string>>; } }
${WIT_IO}
package wasi:http@0.2.0 {
  interface types {
    use wasi:io/streams@0.2.0.{input-stream, output-stream};
    use wasi:io/poll@0.2.0.{pollable};
    variant error-code {
      HTTP-request-denied, destination-IP-prohibited, connection-refused, internal-error(option<string>)
    }
    variant scheme { HTTP, HTTPS, other(string) }
    variant header-error { invalid-syntax, forbidden, immutable }
    resource fields {
      constructor();
      append: func(name: string, value: list<u8>) -> result<_, header-error>;
    }
    resource incoming-body { %stream: func() -> result<input-stream>; }
    resource incoming-request {
      consume: func() -> result<incoming-body>;
      path-with-query: func() -> option<string>;
    }
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
    resource outgoing-request {
      constructor(headers: fields);
      set-scheme: func(scheme: option<scheme>) -> result;
      set-authority: func(authority: option<string>) -> result;
    }
    resource request-options { constructor(); }
    resource incoming-response { status: func() -> u16; }
    resource future-incoming-response {
      subscribe: func() -> pollable;
      get: func() -> option<result<result<incoming-response, error-code>>>;
    }
  }
  interface outgoing-handler {
    use types.{outgoing-request, request-options, future-incoming-response, error-code};
    handle: func(request: outgoing-request, options: option<request-options>) -> result<future-incoming-response, error-code>;
  }
  interface incoming-handler {
    use types.{incoming-request, response-outparam};
    handle: func(request: incoming-request, response-out: response-outparam);
  }
}`;

/** Results are at address 0: a case byte, then the value at 4. */
const COMMON = `
  (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.0" "[constructor]outgoing-response" (func $response (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-response.set-status-code" (func $status (param i32 i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-response.body" (func $body (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.0" "[static]response-outparam.set" (func $set (param i32 i32 i32 i32 i32 i32)))`;

const MEMORY = `
  (memory (export "memory") 32)
  (global $free (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get 3))))`;

const FINISHES = "(call $finish (local.get $sink) (i32.const 0) (i32.const 0) (i32.const 0))";

/** `first` runs before the body is read, `last` after it was written. */
const echo = (first: string, last: string): string => `(module${COMMON}
  (import "wasi:http/types@0.2.0" "[method]incoming-request.consume" (func $consume (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]incoming-body.stream" (func $stream (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func $write (param i32 i32)))
  (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $put (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))${MEMORY}
  (func (export "wasi:http/incoming-handler@0.2.0#handle") (param $request i32) (param $out i32)
    (local $in i32) (local $answer i32) (local $sink i32) (local $to i32)
    ${first}
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
    ${last}))`;

/** Answers 512 and the number of the error-code when it may not send. */
const SENDER = `(module${COMMON}
  (import "wasi:cli/environment@0.2.0" "get-environment" (func $environment (param i32)))
  (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:http/types@0.2.0" "[method]incoming-request.path-with-query" (func $path (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-scheme" (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority" (func $authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func $get (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]incoming-response.status" (func $got (param i32) (result i32)))
  (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $send (param i32 i32 i32 i32)))${MEMORY}
  (data (i32.const 512) "x-key")
  (func $upstream (param $in i32) (result i32)
    (local $headers i32) (local $at i32) (local $end i32) (local $out i32) (local $future i32)
    (local.set $headers (call $fields))
    (call $environment (i32.const 0))
    (local.set $at (i32.load (i32.const 0)))
    (local.set $end (i32.add (local.get $at) (i32.mul (i32.load (i32.const 4)) (i32.const 16))))
    (block $found (loop $next
      (br_if $found (i32.ge_u (local.get $at) (local.get $end)))
      (if (i32.and
            (i32.eq (i32.load (i32.add (local.get $at) (i32.const 4))) (i32.const 3))
            (i32.eq (i32.load8_u (i32.load (local.get $at))) (i32.const 75)))
        (then (call $append (local.get $headers) (i32.const 512) (i32.const 5)
          (i32.load (i32.add (local.get $at) (i32.const 8))) (i32.load (i32.add (local.get $at) (i32.const 12))) (i32.const 64))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br $next)))
    (local.set $out (call $request (local.get $headers)))
    (drop (call $scheme (local.get $out) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))
    (call $path (local.get $in) (i32.const 0))
    (drop (call $authority (local.get $out) (i32.const 1)
      (i32.add (i32.load (i32.const 4)) (i32.const 1)) (i32.sub (i32.load (i32.const 8)) (i32.const 1))))
    (call $send (local.get $out) (i32.const 0) (i32.const 0) (i32.const 0))
    (if (i32.load8_u (i32.const 0)) (then (return (i32.add (i32.const 512) (i32.load8_u (i32.const 4))))))
    (local.set $future (i32.load (i32.const 4)))
    (call $block (call $subscribe (local.get $future)))
    (call $get (local.get $future) (i32.const 0))
    (if (i32.load8_u (i32.const 8)) (then (return (i32.add (i32.const 512) (i32.load8_u (i32.const 12))))))
    (call $got (i32.load (i32.const 12))))
  (func (export "wasi:http/incoming-handler@0.2.0#handle") (param $in i32) (param $out i32)
    (local $answer i32) (local $status_code i32)
    (local.set $status_code (call $upstream (local.get $in)))
    (local.set $answer (call $response (call $fields)))
    (drop (call $status (local.get $answer) (local.get $status_code)))
    (call $body (local.get $answer) (i32.const 0))
    (call $set (local.get $out) (i32.const 0) (local.get $answer) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $finish (i32.load (i32.const 4)) (i32.const 0) (i32.const 0) (i32.const 0))))`;

const made = async (wat: string, world: string): Promise<Uint8Array<ArrayBuffer>> =>
  embedModule(await parseWat(wat), WIT, world);

/** The guest that echoes, with instructions before it reads and, in place of the end of its answer, after it has written. */
export function echoGuest(first: string, last: string = FINISHES): Promise<Uint8Array<ArrayBuffer>> {
  return made(echo(first, last), "proxy");
}

/** The guests by name. */
export async function httpGuests(): Promise<Readonly<Record<"echo" | "trap" | "spin" | "send", Uint8Array>>> {
  return {
    echo: await echoGuest(""),
    trap: await echoGuest("(unreachable)"),
    spin: await echoGuest("(loop $ever (br $ever))"),
    send: await made(SENDER, "sender"),
  };
}
