;; A guest that repeats one call, for benchmarks: ops.wasm MODE FILE-OF-64-KIB
;;   r  200,000 reads of 64 bytes    s  100,000 path_filestat_get    o  50,000 open and close
;;   q  5,000 reads of 64 bytes, for hosts that are slow
;;   R  4,000 reads of 64 KiB        W  4,000 writes of 64 KiB (over the same place)
;; Exit 0, or the errno of the first failed call.
(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $path_stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  ;; 0 iovec, 8 results, 128 filestat, 256 argument pointers, 1024 arguments, 65536 buffer
  (memory (export "memory") 2)
  (global $path (mut i32) (i32.const 0))
  (global $length (mut i32) (i32.const 0))
  (global $fd (mut i32) (i32.const 0))

  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $errno)))))

  (func $open
    (call $check
      (call $path_open (i32.const 3) (i32.const 1) (global.get $path) (global.get $length)
        (i32.const 0) (i64.const 70) (i64.const 0) (i32.const 0) (i32.const 16)))
    (global.set $fd (i32.load (i32.const 16))))

  (func $rewind
    (call $check (call $fd_seek (global.get $fd) (i64.const 0) (i32.const 0) (i32.const 24))))

  (func $read (param $bytes i32)
    (i32.store (i32.const 4) (local.get $bytes))
    (call $check (call $fd_read (global.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
    ;; At the end: from the start again. A block of 64 KiB is the whole file.
    (if
      (i32.or
        (i32.lt_u (i32.load (i32.const 8)) (local.get $bytes))
        (i32.eq (local.get $bytes) (i32.const 65536)))
      (then (call $rewind))))

  (func $write
    (i32.store (i32.const 4) (i32.const 65536))
    (call $check (call $fd_write (global.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $rewind))

  (func $times (param $mode i32) (result i32)
    (if (i32.eq (local.get $mode) (i32.const 114)) (then (return (i32.const 200000))))
    (if (i32.eq (local.get $mode) (i32.const 113)) (then (return (i32.const 5000))))
    (if (i32.eq (local.get $mode) (i32.const 115)) (then (return (i32.const 100000))))
    (if (i32.eq (local.get $mode) (i32.const 111)) (then (return (i32.const 50000))))
    (i32.const 4000))

  (func $once (param $mode i32)
    (if (i32.eq (local.get $mode) (i32.const 114)) (then (call $read (i32.const 64)) (return)))
    (if (i32.eq (local.get $mode) (i32.const 113)) (then (call $read (i32.const 64)) (return)))
    (if (i32.eq (local.get $mode) (i32.const 82)) (then (call $read (i32.const 65536)) (return)))
    (if (i32.eq (local.get $mode) (i32.const 87)) (then (call $write) (return)))
    (if (i32.eq (local.get $mode) (i32.const 115))
      (then
        (call $check
          (call $path_stat (i32.const 3) (i32.const 1) (global.get $path) (global.get $length) (i32.const 128)))
        (return)))
    (call $open)
    (call $check (call $fd_close (global.get $fd))))

  (func (export "_start")
    (local $mode i32) (local $left i32)
    (call $check (call $args_get (i32.const 256) (i32.const 1024)))
    (local.set $mode (i32.load8_u (i32.load (i32.const 260))))
    (global.set $path (i32.load (i32.const 264)))
    (loop $more
      (if (i32.load8_u (i32.add (global.get $path) (global.get $length)))
        (then
          (global.set $length (i32.add (global.get $length) (i32.const 1)))
          (br $more))))
    (i32.store (i32.const 0) (i32.const 65536))
    (call $open)
    (local.set $left (call $times (local.get $mode)))
    (loop $again
      (call $once (local.get $mode))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))))
