;; A guest without a toolchain: says hello, or runs the verbs of its arguments in order on the files of its image.
;;   hello.wasm [ls DIR | cat FILE | write FILE TEXT | rm FILE] ...
;; Exit 0; 1 with a line on stderr when a call fails; 2 for a verb it does not know.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  ;; 0 iovec, 8 results, 64 texts, 1024 argument pointers, 4096 arguments, 32768 buffer of 32768 bytes
  (memory (export "memory") 2)
  (data (i32.const 64) "hello from WebAssembly\n")
  (data (i32.const 96) "hello: errno 000: ")
  (data (i32.const 128) ".")
  (data (i32.const 130) "\n")
  (global $argc (mut i32) (i32.const 0))
  (global $next (mut i32) (i32.const 1))

  (func $length (param $text i32) (result i32)
    (local $n i32)
    (loop $more
      (if (i32.load8_u (i32.add (local.get $text) (local.get $n)))
        (then
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br $more))))
    (local.get $n))

  (func $print (param $fd i32) (param $text i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $text))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func $newline (param $fd i32)
    (call $print (local.get $fd) (i32.const 130) (i32.const 1)))

  ;; The next argument; a missing one ends the program with 2.
  (func $argument (result i32)
    (local $at i32)
    (if (i32.ge_u (global.get $next) (global.get $argc)) (then (call $proc_exit (i32.const 2))))
    (local.set $at (i32.add (i32.const 1024) (i32.shl (global.get $next) (i32.const 2))))
    (global.set $next (i32.add (global.get $next) (i32.const 1)))
    (i32.load (local.get $at)))

  ;; WASI paths are relative to a directory: drop the leading slashes; the root itself is ".".
  (func $relative (param $path i32) (result i32)
    (loop $more
      (if (i32.eq (i32.load8_u (local.get $path)) (i32.const 47))
        (then
          (local.set $path (i32.add (local.get $path) (i32.const 1)))
          (br $more))))
    (if (result i32) (i32.load8_u (local.get $path)) (then (local.get $path)) (else (i32.const 128))))

  ;; Says which path failed with which errno, and ends the program.
  (func $check (param $errno i32) (param $path i32)
    (if (i32.eqz (local.get $errno)) (then (return)))
    (i32.store8 (i32.const 109) (i32.add (i32.const 48) (i32.div_u (local.get $errno) (i32.const 100))))
    (i32.store8 (i32.const 110)
      (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $errno) (i32.const 10)) (i32.const 10))))
    (i32.store8 (i32.const 111) (i32.add (i32.const 48) (i32.rem_u (local.get $errno) (i32.const 10))))
    (call $print (i32.const 2) (i32.const 96) (i32.const 18))
    (call $print (i32.const 2) (local.get $path) (call $length (local.get $path)))
    (call $newline (i32.const 2))
    (call $proc_exit (i32.const 1)))

  ;; Descriptor of an opened path.
  (func $open (param $path i32) (param $oflags i32) (param $rights i64) (result i32)
    (local $relative i32)
    (local.set $relative (call $relative (local.get $path)))
    (call $check
      (call $path_open (i32.const 3) (i32.const 1) (local.get $relative) (call $length (local.get $relative))
        (local.get $oflags) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 12))
      (local.get $path))
    (i32.load (i32.const 12)))

  ;; True for "." and "..", which every directory has.
  (func $dots (param $name i32) (param $length i32) (result i32)
    (i32.or
      (i32.and (i32.eq (local.get $length) (i32.const 1)) (i32.eq (i32.load8_u (local.get $name)) (i32.const 46)))
      (i32.and (i32.eq (local.get $length) (i32.const 2)) (i32.eq (i32.load16_u (local.get $name)) (i32.const 0x2e2e)))))

  (func $ls (param $path i32)
    (local $fd i32) (local $at i32) (local $end i32) (local $size i32) (local $cookie i64)
    (local.set $fd (call $open (local.get $path) (i32.const 2) (i64.const 0x4000)))
    (loop $batch
      (call $check
        (call $fd_readdir (local.get $fd) (i32.const 32768) (i32.const 32768) (local.get $cookie) (i32.const 8))
        (local.get $path))
      (local.set $at (i32.const 32768))
      (local.set $end (i32.add (i32.const 32768) (i32.load (i32.const 8))))
      (block $whole
        (loop $entry
          ;; An entry that the buffer cuts off is asked for again with the cookie before it.
          (br_if $whole (i32.gt_u (i32.add (local.get $at) (i32.const 24)) (local.get $end)))
          (local.set $size (i32.load offset=16 (local.get $at)))
          (br_if $whole
            (i32.gt_u (i32.add (i32.add (local.get $at) (i32.const 24)) (local.get $size)) (local.get $end)))
          (local.set $cookie (i64.load (local.get $at)))
          (if (i32.eqz (call $dots (i32.add (local.get $at) (i32.const 24)) (local.get $size)))
            (then
              (call $print (i32.const 1) (i32.add (local.get $at) (i32.const 24)) (local.get $size))
              (call $newline (i32.const 1))))
          (local.set $at (i32.add (i32.add (local.get $at) (i32.const 24)) (local.get $size)))
          (br $entry)))
      (br_if $batch (i32.eq (local.get $end) (i32.const 65536))))
    (drop (call $fd_close (local.get $fd))))

  (func $cat (param $path i32)
    (local $fd i32)
    (local.set $fd (call $open (local.get $path) (i32.const 0) (i64.const 2)))
    (loop $more
      (i32.store (i32.const 0) (i32.const 32768))
      (i32.store (i32.const 4) (i32.const 32768))
      (call $check (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (local.get $path))
      (if (i32.load (i32.const 8))
        (then
          (call $print (i32.const 1) (i32.const 32768) (i32.load (i32.const 8)))
          (br $more))))
    (drop (call $fd_close (local.get $fd))))

  (func $write (param $path i32) (param $text i32)
    (local $fd i32)
    (local.set $fd (call $open (local.get $path) (i32.const 9) (i64.const 64)))
    (i32.store (i32.const 0) (local.get $text))
    (i32.store (i32.const 4) (call $length (local.get $text)))
    (call $check (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (local.get $path))
    (call $newline (local.get $fd))
    (drop (call $fd_close (local.get $fd))))

  (func $rm (param $path i32)
    (local $relative i32)
    (local.set $relative (call $relative (local.get $path)))
    (call $check
      (call $path_unlink_file (i32.const 3) (local.get $relative) (call $length (local.get $relative)))
      (local.get $path)))

  ;; Verbs are told apart by their first letter.
  (func $verb (param $letter i32)
    (if (i32.eq (local.get $letter) (i32.const 108)) (then (call $ls (call $argument)) (return)))
    (if (i32.eq (local.get $letter) (i32.const 99)) (then (call $cat (call $argument)) (return)))
    (if (i32.eq (local.get $letter) (i32.const 119)) (then (call $write (call $argument) (call $argument)) (return)))
    (if (i32.eq (local.get $letter) (i32.const 114)) (then (call $rm (call $argument)) (return)))
    (call $proc_exit (i32.const 2)))

  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 8) (i32.const 12)))
    (global.set $argc (i32.load (i32.const 8)))
    ;; More than the space for pointers or text holds is refused, not cut.
    (if (i32.or (i32.gt_u (global.get $argc) (i32.const 768)) (i32.gt_u (i32.load (i32.const 12)) (i32.const 28672)))
      (then (call $proc_exit (i32.const 2))))
    (drop (call $args_get (i32.const 1024) (i32.const 4096)))
    (if (i32.le_u (global.get $argc) (i32.const 1))
      (then (call $print (i32.const 1) (i32.const 64) (i32.const 23))))
    (loop $more
      (if (i32.lt_u (global.get $next) (global.get $argc))
        (then
          (call $verb (i32.load8_u (call $argument)))
          (br $more))))))
