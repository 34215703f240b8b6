// A component of wasi:sockets 0.2 in text form: connects to the port of 127.0.0.1 that its argument names, says "ping", and prints what
// comes back until the end. It fails, printing the number of the error code, when it may not connect.
import { embedModule, parseWat } from "@lapstrake/wasm/component";
import { WIT_IO } from "./wit-io.ts";

const ERROR_CODES =
  "unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict, not-in-progress, would-block, " +
  "invalid-state, new-socket-limit, address-not-bindable, address-in-use, remote-unreachable, connection-refused, connection-reset, " +
  "connection-aborted, datagram-too-large, name-unresolvable, temporary-resolver-failure, permanent-resolver-failure";

const WIT = `package test:socket;
world client {
  import wasi:cli/environment@0.2.0; import wasi:cli/stdout@0.2.0;
  import wasi:sockets/instance-network@0.2.0; import wasi:sockets/tcp-create-socket@0.2.0;
  export wasi:cli/run@0.2.0;
}
package wasi:cli@0.2.0 {
  interface environment { get-arguments: func() -> list<string>; }
  interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
  interface run { run: func() -> result; }
}
${WIT_IO}
package wasi:sockets@0.2.0 {
  interface network {
    resource network;
    enum error-code { ${ERROR_CODES} }
    enum ip-address-family { ipv4, ipv6 }
    record ipv4-socket-address { port: u16, address: tuple<u8, u8, u8, u8> }
    record ipv6-socket-address {
      port: u16, flow-info: u32, address: tuple<u16, u16, u16, u16, u16, u16, u16, u16>, scope-id: u32,
    }
    variant ip-socket-address { ipv4(ipv4-socket-address), ipv6(ipv6-socket-address) }
  }
  interface instance-network { use network.{network}; instance-network: func() -> network; }
  interface tcp {
    use wasi:io/streams@0.2.0.{input-stream, output-stream};
    use wasi:io/poll@0.2.0.{pollable};
    use network.{network, error-code, ip-socket-address};
    resource tcp-socket {
      start-connect: func(network: borrow<network>, remote-address: ip-socket-address) -> result<_, error-code>;
      finish-connect: func() -> result<tuple<input-stream, output-stream>, error-code>;
      subscribe: func() -> pollable;
    }
  }
  interface tcp-create-socket {
    use network.{error-code, ip-address-family};
    use tcp.{tcp-socket};
    create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
  }
}`;

const GUEST = `(module
  (import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
  (import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
  (import "wasi:sockets/tcp-create-socket@0.2.0" "create-tcp-socket" (func $create (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.start-connect"
    (func $connect (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.finish-connect" (func $connected (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.subscribe" (func $subscribe (param i32) (result i32)))
  (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 512) "ping")
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $free))
    (global.set $free (i32.and (i32.add (i32.add (local.get $at) (local.get 3)) (i32.const 15)) (i32.const -16)))
    (local.get $at))
  (func $port (result i32)
    (local $at i32) (local $end i32) (local $port i32)
    (call $arguments (i32.const 16))
    (local.set $at (i32.load (i32.add (i32.load (i32.const 16)) (i32.const 8))))
    (local.set $end (i32.add (local.get $at) (i32.load (i32.add (i32.load (i32.const 16)) (i32.const 12)))))
    (loop $digit
      (local.set $port (i32.add (i32.mul (local.get $port) (i32.const 10))
        (i32.sub (i32.load8_u (local.get $at)) (i32.const 48))))
      (br_if $digit (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
    (local.get $port))
  (func $fail (param $code i32) (result i32)
    (i32.store8 (i32.const 600) (i32.add (i32.const 48) (i32.div_u (local.get $code) (i32.const 10))))
    (i32.store8 (i32.const 601) (i32.add (i32.const 48) (i32.rem_u (local.get $code) (i32.const 10))))
    (call $write (call $stdout) (i32.const 600) (i32.const 2) (i32.const 640))
    (i32.const 1))
  (func (export "wasi:cli/run@0.2.0#run") (result i32)
    (local $socket i32) (local $in i32)
    (call $create (i32.const 0) (i32.const 32))
    (if (i32.load8_u (i32.const 32)) (then (return (call $fail (i32.load8_u (i32.const 36))))))
    (local.set $socket (i32.load (i32.const 36)))
    (call $connect (local.get $socket) (call $network) (i32.const 0) (call $port)
      (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 48))
    (if (i32.load8_u (i32.const 48)) (then (return (call $fail (i32.load8_u (i32.const 49))))))
    (call $block (call $subscribe (local.get $socket)))
    (call $connected (local.get $socket) (i32.const 64))
    (if (i32.load8_u (i32.const 64)) (then (return (call $fail (i32.load8_u (i32.const 68))))))
    (local.set $in (i32.load (i32.const 68)))
    (call $write (i32.load (i32.const 72)) (i32.const 512) (i32.const 4) (i32.const 96))
    (loop $more
      (global.set $free (i32.const 4096))
      (call $read (local.get $in) (i64.const 1024) (i32.const 112))
      (if (i32.load8_u (i32.const 112)) (then (return (i32.const 0))))
      (call $write (call $stdout) (i32.load (i32.const 116)) (i32.load (i32.const 120)) (i32.const 128))
      (br $more))
    (unreachable)))`;

/** Its bytes. */
export async function socketGuest(): Promise<Uint8Array<ArrayBuffer>> {
  return embedModule(await parseWat(GUEST), WIT, "client");
}
