// Guests that take too much: each limit ends or refuses them, with the documented error and exit code, in both placements.
import { OPEN, UnionFs } from "@lapstrake/layers";
import { compileModule, runNamed, runWasm, type WasmLimits, type WasmResult } from "@lapstrake/wasm";
import { parseWat } from "@lapstrake/wasm/component";
import { closePool } from "@lapstrake/wasm/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { soon } from "../support/until.ts";

const MIB = 1024 * 1024;

const SOURCES = {
  /** Grows its memory until it may not, then exits with the number of MiB it got. */
  eats: `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 16)
    (func (export "_start")
      (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      (call $exit (i32.div_u (memory.size) (i32.const 16)))))`,
  spins: `(module (memory (export "memory") 1) (func (export "_start") (loop $more (br $more))))`,
  sleeps: `(module (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (i32.store (i32.const 16) (i32.const 1)) (i64.store (i32.const 24) (i64.const 60000000000))
      (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))`,
  recurses: `(module (memory (export "memory") 1) (func $f (param i32) (result i32)
      (i32.add (i32.const 1) (call $f (i32.add (local.get 0) (i32.const 1)))))
    (func (export "_start") (drop (call $f (i32.const 0)))))`,
  /** Writes 64 KiB blocks to /f until it may not; exits with the errno. */
  fills: `(module (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 2) (data (i32.const 32) "f")
    (func (export "_start") (local $errno i32)
      (drop (call $open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0)))
      (i32.store (i32.const 8) (i32.const 65536)) (i32.store (i32.const 12) (i32.const 65536))
      (loop $more
        (local.set $errno (call $write (i32.load (i32.const 0)) (i32.const 8) (i32.const 1) (i32.const 16)))
        (br_if $more (i32.eqz (local.get $errno))))
      (call $exit (local.get $errno))))`,
  /** Starts itself twice, and exits with the last errno. */
  forks: `(module (import "wasix_32v1" "proc_spawn" (func $spawn (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1) (data (i32.const 32) "/bomb/")
    (func $go (result i32)
      (call $spawn (i32.const 32) (i32.const 5) (i32.const 0) (i32.const 32) (i32.const 5) (i32.const 0) (i32.const 0)
        (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 37) (i32.const 1) (i32.const 128)))
    (func (export "_start") (drop (call $go)) (call $exit (call $go))))`,
} as const;

const modules = new Map<string, Uint8Array<ArrayBuffer>>();

beforeAll(async () => {
  for (const [name, text] of Object.entries(SOURCES)) modules.set(name, await parseWat(text));
});
afterAll(closePool);

describe.each(["thread", "worker"] as const)("placement %s", (placement) => {
  const run = (name: keyof typeof SOURCES, limits: WasmLimits, fs: UnionFs = UnionFs.create([])): Promise<WasmResult> =>
    runWasm({ fs, module: modules.get(name)!, limits, placement });

  it("memory: growth stops at the limit", async () => {
    expect(await run("eats", { memoryBytes: 12 * MIB })).toMatchObject({ exitCode: 12, reason: "exit" });
  });

  it("time: a spinning guest ends within 50 ms of its limit", async () => {
    // The best of some tries: a busy machine takes longer for whatever it does.
    await soon(async () => {
      const started = performance.now();
      const exit = await run("spins", { timeoutMs: 200 });
      const took = performance.now() - started;
      expect(exit).toMatchObject({ exitCode: 124, reason: "limit", error: { code: "ERR_LAP_WASM_TIMEOUT" } });
      expect(took).toBeLessThan(200 + 50 + START_MS);
    });
  });

  it("time: a sleeping guest too", async () => {
    expect(await run("sleeps", { timeoutMs: 100 })).toMatchObject({ exitCode: 124, reason: "limit" });
  });

  it("stack: an end like a segmentation fault", async () => {
    expect(await run("recurses", {})).toMatchObject({
      exitCode: 139,
      reason: "trap",
      error: { code: "ERR_LAP_WASM_TRAP" },
    });
  });

  it("filesystem size: ENOSPC for the guest", async () => {
    const exit = await run("fills", {}, UnionFs.create([], { maxBytes: 4 * MIB }));
    expect(exit).toMatchObject({ exitCode: 51, reason: "exit" });
  });
});

/** Compiling, and a thread's start. */
const START_MS = 400;

it("processor time: a guest that spins ends, one that sleeps does not", async () => {
  const run = (name: keyof typeof SOURCES, limits: WasmLimits): Promise<WasmResult> =>
    runWasm({ fs: UnionFs.create([]), module: modules.get(name)!, limits });
  expect(await run("spins", { cpuMs: 150 })).toMatchObject({
    exitCode: 152,
    reason: "limit",
    error: { code: "ERR_LAP_WASM_CPU" },
  });
  expect(await run("sleeps", { cpuMs: 150, timeoutMs: 400 })).toMatchObject({ exitCode: 124 });
});

it("processes: a guest that starts itself without end is refused with EAGAIN", () => {
  const fs = UnionFs.create([]);
  const bytes = modules.get("forks")!;
  const { handle } = fs.create(fs.root, "bomb", 0o755, OPEN.write);
  fs.write(handle, bytes, 0, bytes.length, 0);
  fs.close(handle);
  expect(runNamed({ fs, args: ["/bomb"], limits: { processes: 40 } })).toMatchObject({ exitCode: 6, reason: "exit" });
});

it("compiles what it limits", () => {
  expect(() => compileModule(modules.get("eats")!, MIB / 2)).toThrow("needs");
});
